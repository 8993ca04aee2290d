_base_ = ["../_base_/tasks/hippocampus.json", "./resenc_standard.py"]
