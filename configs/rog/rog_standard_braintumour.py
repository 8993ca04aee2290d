_base_ = ["../_base_/tasks/braintumour.json", "./rog_standard.py"]
