_base_ = ["../_base_/tasks/colon.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_colon.py")
