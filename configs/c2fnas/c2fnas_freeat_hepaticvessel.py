_base_ = ["../_base_/tasks/hepaticvessel.json", "./c2fnas_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/c2fnas_standard_hepaticvessel.py")
