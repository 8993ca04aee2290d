_base_ = ["../_base_/tasks/lung.json", "./mpunet_fusion.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_lung.py")
