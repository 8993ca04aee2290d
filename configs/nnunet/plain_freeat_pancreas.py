_base_ = ["../_base_/tasks/pancreas.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_pancreas.py")
