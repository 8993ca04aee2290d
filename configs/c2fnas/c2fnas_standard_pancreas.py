_base_ = ["../_base_/tasks/pancreas.json", "./c2fnas_standard.py"]
