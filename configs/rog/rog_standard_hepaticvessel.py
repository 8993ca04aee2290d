_base_ = ["../_base_/tasks/hepaticvessel.json", "./rog_standard.py"]
