_base_ = ["../_base_/tasks/lung.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_lung.py")
