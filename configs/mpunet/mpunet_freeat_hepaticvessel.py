_base_ = ["../_base_/tasks/hepaticvessel.json", "./mpunet_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_hepaticvessel.py")
