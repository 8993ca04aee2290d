# 1,200 gradient passes from the clean light network, as the other light adversarial trainings.
_base_ = "./rog_freeat_hippocampus_light.py"
trainer = dict(_delete_=True, type="AdversarialTrainer", craft=dict(type="PGDCraft", num_iterations=3), epsilon=8 / 255)
train_cfg = dict(max_epochs=12, iterations_per_epoch=25)
default_hooks = dict(ema=dict(momentum=0.07))
validation = dict(interval=2, volume_interval=2)
