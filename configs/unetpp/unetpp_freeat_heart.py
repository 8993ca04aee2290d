_base_ = ["../_base_/tasks/heart.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_heart.py")
