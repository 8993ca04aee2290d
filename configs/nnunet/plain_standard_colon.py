_base_ = ["../_base_/tasks/colon.json", "./plain_standard.py"]
