_base_ = ["../_base_/tasks/heart.json", "./mpunet_fusion.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_heart.py")
