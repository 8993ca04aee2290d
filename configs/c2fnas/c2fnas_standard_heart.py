_base_ = ["../_base_/tasks/heart.json", "./c2fnas_standard.py"]
