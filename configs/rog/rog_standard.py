# ROG under standard training, for any task: tools/train.py configs/rog/rog_standard.py --task data/stored/MyTask
_base_ = [
    "../_base_/models/rog.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/paper.py",
    "../_base_/runtime.py",
]
