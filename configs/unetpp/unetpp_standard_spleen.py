_base_ = ["../_base_/tasks/spleen.json", "./unetpp_standard.py"]
