_base_ = ["../_base_/tasks/hippocampus.json", "./rog_standard.py"]
