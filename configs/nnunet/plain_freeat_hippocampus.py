_base_ = ["../_base_/tasks/hippocampus.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_hippocampus.py")
