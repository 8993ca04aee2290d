_base_ = ["../_base_/tasks/liver.json", "./rog_freeat.py"]

init_from = dict(
    zoo="rog_standard_liver",
    stage="{{ fileDirname }}/rog_standard_liver.py",
)
