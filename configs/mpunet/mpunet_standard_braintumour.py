_base_ = ["../_base_/tasks/braintumour.json", "./mpunet_standard.py"]
