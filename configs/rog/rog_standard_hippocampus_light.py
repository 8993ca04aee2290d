# A third of the multiplications, and a schedule of 1,800 iterations: for demos and comparisons on small machines.
_base_ = [
    "../_base_/tasks/hippocampus_light.json",
    "../_base_/models/rog.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/short.py",
    "../_base_/runtime.py",
]
train_data = dict(batch_size=4)
