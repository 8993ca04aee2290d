_base_ = ["../_base_/tasks/liver.json", "./rog_standard.py"]
