_base_ = ["../_base_/tasks/heart.json", "./rog_standard.py"]
