_base_ = ["../_base_/tasks/colon.json", "./c2fnas_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/c2fnas_standard_colon.py")
