_base_ = ["../_base_/tasks/colon.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_colon.py")
