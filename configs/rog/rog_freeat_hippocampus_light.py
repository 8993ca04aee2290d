# 1,200 gradient passes from the clean light network: 12 epochs (60 / m) of 20 mini-batches, each replayed m = 5 times.
# Averaged are the weights of the last twentieth of the mini-batches. Patches are not mirrored: so few passes are better
# spent on the poses that occur.
_base_ = "./rog_standard_hippocampus_light_long.py"
trainer = dict(type="FreeTrainer", num_replays=5, epsilon=8 / 255)
train_data = dict(batch_size=4, dataset=dict(transforms=[dict(type="ClipToBox")]))
train_cfg = dict(max_epochs=60, iterations_per_epoch=20)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
default_hooks = dict(ema=dict(momentum=0.08))
validation = dict(  # every second epoch: intervals are divided by m, too
    interval=10,
    volume_interval=10,
    max_volumes=12,
    attack=dict(type="PGD", num_iterations=5),
    max_attacked=8,
    monitor="mean",
)
init_from = dict(
    zoo="rog_standard_hippocampus_light_long", stage="{{ fileDirname }}/rog_standard_hippocampus_light_long.py"
)
