_base_ = ["../_base_/tasks/hepaticvessel.json", "./rog_freeat.py"]

init_from = dict(
    zoo="rog_standard_hepaticvessel",
    stage="{{ fileDirname }}/rog_standard_hepaticvessel.py",
)
