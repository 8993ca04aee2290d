_base_ = ["../_base_/tasks/hippocampus.json", "./mpunet_standard.py"]
