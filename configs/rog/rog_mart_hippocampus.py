_base_ = ["../_base_/tasks/hippocampus.json", "./rog_mart.py"]

init_from = dict(
    zoo="rog_standard_hippocampus",
    stage="{{ fileDirname }}/rog_standard_hippocampus.py",
)
