_base_ = ["../_base_/tasks/heart.json", "./c2fnas_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/c2fnas_standard_heart.py")
