_base_ = ["../_base_/tasks/hippocampus.json", "./c2fnas_standard.py"]
