_base_ = ["../_base_/tasks/colon.json", "./rog_freeat.py"]

init_from = dict(
    zoo="rog_standard_colon",
    stage="{{ fileDirname }}/rog_standard_colon.py",
)
