# Half the filters and one pooling less, mirroring only and a short schedule: for comparisons on small machines.
_base_ = [
    "../_base_/tasks/hippocampus_light.json",
    "../_base_/models/unetpp.py",
    "../_base_/datasets/patches.py",
    "../_base_/schedules/short.py",
    "../_base_/runtime.py",
]
model = dict(backbone=dict(filters=(16, 32, 64, 128)), head=dict(channels=16, num_outputs=3))
# It has no norms, which ROG's rate of 3e-3 counts on.
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_data = dict(dataset=dict(transforms=[dict(type="RandomMirror"), dict(type="ClipToBox")]))
train_cfg = dict(max_epochs=14)
validation = dict(interval=2, volume_interval=2, max_volumes=6, max_patches=12)
