_base_ = ["../_base_/tasks/lung.json", "./rog_standard.py"]
