_base_ = ["../_base_/tasks/braintumour.json", "./c2fnas_standard.py"]
