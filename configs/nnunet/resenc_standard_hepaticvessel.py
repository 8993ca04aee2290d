_base_ = ["../_base_/tasks/hepaticvessel.json", "./resenc_standard.py"]
