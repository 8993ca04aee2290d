_base_ = ["../_base_/tasks/hepaticvessel.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_hepaticvessel.py")
