_base_ = ["../_base_/tasks/lung.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_lung.py")
