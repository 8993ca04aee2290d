_base_ = ["../_base_/tasks/liver.json", "./resenc_standard.py"]
