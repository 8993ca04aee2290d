_base_ = ["../_base_/tasks/spleen.json", "./rog_freeat.py"]

init_from = dict(
    zoo="rog_standard_spleen",
    stage="{{ fileDirname }}/rog_standard_spleen.py",
)
