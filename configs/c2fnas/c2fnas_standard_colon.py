_base_ = ["../_base_/tasks/colon.json", "./c2fnas_standard.py"]
