_base_ = ["../_base_/tasks/liver.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_liver.py")
