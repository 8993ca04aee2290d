_base_ = ["../_base_/tasks/hippocampus.json", "./c2fnas_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/c2fnas_standard_hippocampus.py")
