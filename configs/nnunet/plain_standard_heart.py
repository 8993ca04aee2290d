_base_ = ["../_base_/tasks/heart.json", "./plain_standard.py"]
