_base_ = ["../_base_/tasks/liver.json", "./plain_standard.py"]
