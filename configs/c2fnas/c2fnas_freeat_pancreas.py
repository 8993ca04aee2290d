_base_ = ["../_base_/tasks/pancreas.json", "./c2fnas_freeat.py"]

init_from = dict(stage="{{ fileDirname }}/c2fnas_standard_pancreas.py")
