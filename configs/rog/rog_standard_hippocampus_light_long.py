# The light network trained to its end, with averaged weights: what adversarial training starts from.
_base_ = "./rog_standard_hippocampus_light.py"
train_cfg = dict(max_epochs=40)
default_hooks = dict(ema=dict(type="EMAHook", momentum=0.01))
