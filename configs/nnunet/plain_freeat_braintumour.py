_base_ = ["../_base_/tasks/braintumour.json", "./plain_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/plain_standard_braintumour.py")
