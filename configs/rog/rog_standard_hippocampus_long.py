# The paper's plan trained to its end, with averaged weights: minutes on a GPU, an evening on two cores.
_base_ = "./rog_standard_hippocampus_light_long.py"
task = dict(strides=[[1, 1, 1], [1, 1, 1], [2, 2, 2]])
train_data = dict(batch_size=4)
train_cfg = dict(max_epochs=20)
default_hooks = dict(ema=dict(momentum=0.02))
