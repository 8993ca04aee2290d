_base_ = ["../_base_/tasks/prostate.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_prostate.py")
