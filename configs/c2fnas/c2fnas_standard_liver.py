_base_ = ["../_base_/tasks/liver.json", "./c2fnas_standard.py"]
