_base_ = ["../_base_/tasks/prostate.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_prostate.py")
