_base_ = ["../_base_/tasks/hepaticvessel.json", "./plain_standard.py"]
