_base_ = ["../_base_/tasks/hippocampus.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_hippocampus.py")
