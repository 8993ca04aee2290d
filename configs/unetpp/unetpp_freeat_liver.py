_base_ = ["../_base_/tasks/liver.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_liver.py")
