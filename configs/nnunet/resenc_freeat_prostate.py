_base_ = ["../_base_/tasks/prostate.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_prostate.py")
