_base_ = ["../_base_/tasks/colon.json", "./rog_standard.py"]
