_base_ = ["../_base_/tasks/hepaticvessel.json", "./unetpp_standard.py"]
