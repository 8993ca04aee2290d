_base_ = ["../_base_/tasks/colon.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_colon.py")
