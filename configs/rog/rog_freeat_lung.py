_base_ = ["../_base_/tasks/lung.json", "./rog_freeat.py"]

init_from = dict(
    zoo="rog_standard_lung",
    stage="{{ fileDirname }}/rog_standard_lung.py",
)
