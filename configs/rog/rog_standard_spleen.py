_base_ = ["../_base_/tasks/spleen.json", "./rog_standard.py"]
