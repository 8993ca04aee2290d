_base_ = ["../_base_/tasks/hippocampus.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_hippocampus.py")
