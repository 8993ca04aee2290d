_base_ = ["../_base_/tasks/pancreas.json", "./rog_standard.py"]
