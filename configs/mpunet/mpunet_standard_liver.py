_base_ = ["../_base_/tasks/liver.json", "./mpunet_standard.py"]
