# What certificates need: 1,200 gradient passes under the noise of two sigmas from the clean light network, as the light
# adversarial trainings. The noisy patch is clipped to the box, as it is when the network is certified.
# Validation knows clean images only, so it is asked once, at the end: the checkpoint is that of the averaged weights.
_base_ = "./rog_freeat_hippocampus_light.py"
trainer = dict(_delete_=True, type="StandardTrainer")
train_data = dict(dataset=dict(transforms=[dict(type="SmoothingNoise", sigmas=(0.25, 0.5)), dict(type="ClipToBox")]))
train_cfg = dict(max_epochs=12, iterations_per_epoch=100)
default_hooks = dict(ema=dict(momentum=0.017))
validation = dict(_delete_=True, interval=12, volume_interval=12, max_volumes=6, max_patches=12)
