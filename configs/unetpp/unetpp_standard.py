# UNet++ under standard training, for any task: rogseg train unetpp_standard --task data/stored/MyTask
_base_ = [
    "../_base_/models/unetpp.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/paper.py",
    "../_base_/runtime.py",
]
