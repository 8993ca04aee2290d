_base_ = ["../_base_/tasks/hippocampus.json", "./plain_standard.py"]
