_base_ = ["../_base_/tasks/spleen.json", "./mpunet_fusion.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_spleen.py")
