_base_ = ["../_base_/tasks/pancreas.json", "./unetpp_standard.py"]
