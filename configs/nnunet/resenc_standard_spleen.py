_base_ = ["../_base_/tasks/spleen.json", "./resenc_standard.py"]
