_base_ = ["../_base_/tasks/pancreas.json", "./plain_standard.py"]
