_base_ = ["../_base_/tasks/liver.json", "./unetpp_standard.py"]
