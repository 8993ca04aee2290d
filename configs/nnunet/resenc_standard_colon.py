_base_ = ["../_base_/tasks/colon.json", "./resenc_standard.py"]
