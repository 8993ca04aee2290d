# What `make demo` trains on small phantoms: a minute or two on two cores.
_base_ = "./rog_standard_short.py"
model = dict(backbone=dict(strides=[[1, 1, 1], [2, 2, 2], [2, 2, 2]]))
train_data = dict(num_workers=1)
train_cfg = dict(max_epochs=8, iterations_per_epoch=15)
validation = dict(interval=4, volume_interval=4, max_volumes=2)
