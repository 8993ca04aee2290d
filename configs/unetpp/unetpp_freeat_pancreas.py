_base_ = ["../_base_/tasks/pancreas.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_pancreas.py")
