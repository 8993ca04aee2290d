_base_ = ["../_base_/tasks/hepaticvessel.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_hepaticvessel.py")
