# 1,200 gradient passes from the clean light network, as the other light adversarial trainings.
_base_ = "./rog_freeat_hippocampus_light.py"
trainer = dict(_delete_=True, type="AdversarialTrainer", craft=dict(type="NFGSMCraft"), epsilon=8 / 255)
train_cfg = dict(max_epochs=12, iterations_per_epoch=50)
default_hooks = dict(ema=dict(momentum=0.03))
validation = dict(interval=2, volume_interval=2)
