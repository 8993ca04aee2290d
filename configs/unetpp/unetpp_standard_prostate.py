_base_ = ["../_base_/tasks/prostate.json", "./unetpp_standard.py"]
