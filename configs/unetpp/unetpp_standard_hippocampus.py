_base_ = ["../_base_/tasks/hippocampus.json", "./unetpp_standard.py"]
