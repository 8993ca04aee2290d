_base_ = ["../_base_/tasks/heart.json", "./unetpp_standard.py"]
