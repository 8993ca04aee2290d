_base_ = ["../_base_/tasks/braintumour.json", "./mpunet_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/mpunet_standard_braintumour.py")
