_base_ = ["../_base_/tasks/pancreas.json", "./mpunet_standard.py"]
