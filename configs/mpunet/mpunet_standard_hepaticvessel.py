_base_ = ["../_base_/tasks/hepaticvessel.json", "./mpunet_standard.py"]
