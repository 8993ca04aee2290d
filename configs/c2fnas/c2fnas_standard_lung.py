_base_ = ["../_base_/tasks/lung.json", "./c2fnas_standard.py"]
