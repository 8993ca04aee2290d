# 300 gradient passes from the light network of Free adversarial training: a fifth of all 1,500 that made it robust.
_base_ = "./rog_pgdat_hippocampus_light.py"
train_cfg = dict(max_epochs=3)
default_hooks = dict(ema=dict(momentum=0.25))
validation = dict(interval=1, volume_interval=1)
init_from = dict(zoo="rog_freeat_hippocampus_light", stage="{{ fileDirname }}/rog_freeat_hippocampus_light.py")
