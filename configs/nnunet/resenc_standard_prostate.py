_base_ = ["../_base_/tasks/prostate.json", "./resenc_standard.py"]
