_base_ = ["../_base_/tasks/pancreas.json", "./rog_freeat.py"]

init_from = dict(
    zoo="rog_standard_pancreas",
    stage="{{ fileDirname }}/rog_standard_pancreas.py",
)
