_base_ = ["../_base_/tasks/prostate.json", "./mpunet_fusion.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_prostate.py")
