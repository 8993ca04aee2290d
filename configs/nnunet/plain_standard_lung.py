_base_ = ["../_base_/tasks/lung.json", "./plain_standard.py"]
