_base_ = ["../_base_/tasks/braintumour.json", "./rog_freeat.py"]

init_from = dict(
    zoo="rog_standard_braintumour",
    stage="{{ fileDirname }}/rog_standard_braintumour.py",
)
