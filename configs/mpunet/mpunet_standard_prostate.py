_base_ = ["../_base_/tasks/prostate.json", "./mpunet_standard.py"]
