_base_ = ["../_base_/tasks/braintumour.json", "./resenc_standard.py"]
