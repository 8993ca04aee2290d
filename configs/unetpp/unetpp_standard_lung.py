_base_ = ["../_base_/tasks/lung.json", "./unetpp_standard.py"]
