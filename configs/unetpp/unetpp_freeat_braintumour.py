_base_ = ["../_base_/tasks/braintumour.json", "./unetpp_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/unetpp_standard_braintumour.py")
