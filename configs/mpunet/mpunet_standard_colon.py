_base_ = ["../_base_/tasks/colon.json", "./mpunet_standard.py"]
