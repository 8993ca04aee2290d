_base_ = ["../_base_/tasks/prostate.json", "./rog_standard.py"]
