# MPUNet's planar network under standard training, for any task: rogseg train mpunet_standard --task data/stored/MyTask
# The fusion of its views is trained after it, by mpunet_fusion.py.
_base_ = [
    "../_base_/models/mpunet.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/paper.py",
    "../_base_/runtime.py",
]
optim_wrapper = dict(optimizer=dict(type="Adam", lr=5e-5))
