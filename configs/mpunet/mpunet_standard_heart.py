_base_ = ["../_base_/tasks/heart.json", "./mpunet_standard.py"]
