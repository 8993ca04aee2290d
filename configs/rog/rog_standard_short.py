# ROG for any task under the short schedule: tools/train.py configs/rog/rog_standard_short.py --task data/stored/MyTask
_base_ = [
    "../_base_/models/rog.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/short.py",
    "../_base_/runtime.py",
]
