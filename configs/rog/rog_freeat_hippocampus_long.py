# 2,400 gradient passes from the clean network of the paper's plan: 24 epochs (120 / m) of 20 mini-batches of 8, each
# replayed m = 5 times. The rest is the light network's recipe.
_base_ = "./rog_freeat_hippocampus_light.py"
task = dict(strides=[[1, 1, 1], [1, 1, 1], [2, 2, 2]])
train_data = dict(batch_size=8)
train_cfg = dict(max_epochs=120)
default_hooks = dict(ema=dict(momentum=0.04))
init_from = dict(zoo="rog_standard_hippocampus_long", stage="{{ fileDirname }}/rog_standard_hippocampus_long.py")
