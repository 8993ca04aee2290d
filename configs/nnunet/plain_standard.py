# nnU-Net's U-Net under standard training, for any task: rogseg train plain_standard --task data/stored/MyTask
_base_ = [
    "../_base_/models/nnunet_plain.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/paper.py",
    "../_base_/runtime.py",
]
