_base_ = ["../_base_/tasks/hepaticvessel.json", "./c2fnas_standard.py"]
