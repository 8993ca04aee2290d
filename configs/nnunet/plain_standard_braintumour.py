_base_ = ["../_base_/tasks/braintumour.json", "./plain_standard.py"]
