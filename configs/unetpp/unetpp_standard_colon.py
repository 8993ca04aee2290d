_base_ = ["../_base_/tasks/colon.json", "./unetpp_standard.py"]
