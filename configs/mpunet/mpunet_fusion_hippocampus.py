_base_ = ["../_base_/tasks/hippocampus.json", "./mpunet_fusion.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_hippocampus.py")
