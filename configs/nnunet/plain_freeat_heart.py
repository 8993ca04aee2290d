_base_ = ["../_base_/tasks/heart.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_heart.py")
