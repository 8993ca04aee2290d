# A third of the multiplications, mirroring only and a short schedule: for demos and comparisons on small machines.
_base_ = [
    "../_base_/tasks/hippocampus_light.json",
    "../_base_/models/rog.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/short.py",
    "../_base_/runtime.py",
]
train_data = dict(dataset=dict(transforms=[dict(type="RandomMirror"), dict(type="ClipToBox")]))
train_cfg = dict(max_epochs=14)
validation = dict(interval=2, volume_interval=2, max_volumes=6, max_patches=12)
