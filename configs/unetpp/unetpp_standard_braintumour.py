_base_ = ["../_base_/tasks/braintumour.json", "./unetpp_standard.py"]
