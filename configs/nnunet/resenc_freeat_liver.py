_base_ = ["../_base_/tasks/liver.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_liver.py")
