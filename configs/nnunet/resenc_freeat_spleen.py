_base_ = ["../_base_/tasks/spleen.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_spleen.py")
