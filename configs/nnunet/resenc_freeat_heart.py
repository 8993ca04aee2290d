_base_ = ["../_base_/tasks/heart.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_heart.py")
