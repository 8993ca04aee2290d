_base_ = ["../_base_/tasks/spleen.json", "./c2fnas_standard.py"]
