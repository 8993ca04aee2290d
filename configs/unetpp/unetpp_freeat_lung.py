_base_ = ["../_base_/tasks/lung.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_lung.py")
