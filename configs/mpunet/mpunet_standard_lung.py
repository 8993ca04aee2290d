_base_ = ["../_base_/tasks/lung.json", "./mpunet_standard.py"]
