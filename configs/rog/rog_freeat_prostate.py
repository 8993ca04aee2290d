_base_ = ["../_base_/tasks/prostate.json", "./rog_freeat.py"]

init_from = dict(
    zoo="rog_standard_prostate",
    stage="{{ fileDirname }}/rog_standard_prostate.py",
)
