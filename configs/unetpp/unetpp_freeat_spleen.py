_base_ = ["../_base_/tasks/spleen.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_spleen.py")
