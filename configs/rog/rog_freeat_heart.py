_base_ = ["../_base_/tasks/heart.json", "./rog_freeat.py"]

init_from = dict(
    zoo="rog_standard_heart",
    stage="{{ fileDirname }}/rog_standard_heart.py",
)
