# nnU-Net's U-Net with a residual encoder, for any task: rogseg train resenc_standard --task data/stored/MyTask
_base_ = [
    "../_base_/models/nnunet_resenc.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/paper.py",
    "../_base_/runtime.py",
]
