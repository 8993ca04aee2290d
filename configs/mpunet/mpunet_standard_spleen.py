_base_ = ["../_base_/tasks/spleen.json", "./mpunet_standard.py"]
