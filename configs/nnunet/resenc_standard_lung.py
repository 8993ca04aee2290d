_base_ = ["../_base_/tasks/lung.json", "./resenc_standard.py"]
