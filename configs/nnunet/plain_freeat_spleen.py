_base_ = ["../_base_/tasks/spleen.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_spleen.py")
