_base_ = ["../_base_/tasks/spleen.json", "./plain_standard.py"]
