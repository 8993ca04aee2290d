_base_ = ["../_base_/tasks/pancreas.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_pancreas.py")
