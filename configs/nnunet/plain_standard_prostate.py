_base_ = ["../_base_/tasks/prostate.json", "./plain_standard.py"]
