_base_ = ["../_base_/tasks/hepaticvessel.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_hepaticvessel.py")
