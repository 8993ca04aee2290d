_base_ = ["../_base_/tasks/prostate.json", "./c2fnas_standard.py"]
