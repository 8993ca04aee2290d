# C2FNAS under standard training, for any task: rogseg train c2fnas_standard --task data/stored/MyTask
_base_ = [
    "../_base_/models/c2fnas.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/paper.py",
    "../_base_/runtime.py",
]
