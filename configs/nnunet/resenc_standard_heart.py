_base_ = ["../_base_/tasks/heart.json", "./resenc_standard.py"]
