_base_ = ["../_base_/tasks/liver.json", "./mpunet_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_liver.py")
