_base_ = ["../_base_/tasks/hippocampus.json", "./rog_pirat.py"]

init_from = dict(
    zoo="rog_freeat_hippocampus",
    stage="{{ fileDirname }}/rog_freeat_hippocampus.py",
)
