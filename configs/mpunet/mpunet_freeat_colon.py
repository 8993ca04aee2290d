_base_ = ["../_base_/tasks/colon.json", "./mpunet_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_colon.py")
