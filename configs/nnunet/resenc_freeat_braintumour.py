_base_ = ["../_base_/tasks/braintumour.json", "./resenc_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/resenc_standard_braintumour.py")
