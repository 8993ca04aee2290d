_base_ = ["../_base_/tasks/pancreas.json", "./mpunet_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_pancreas.py")
