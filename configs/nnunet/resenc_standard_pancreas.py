_base_ = ["../_base_/tasks/pancreas.json", "./resenc_standard.py"]
