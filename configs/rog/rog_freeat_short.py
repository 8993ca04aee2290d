# ROG with Free adversarial training for any task, on small machines: 1,200 gradient passes from the clean network under
# the short schedule. 12 epochs (60 / m) of 20 mini-batches, each replayed m = 5 times.
_base_ = "./rog_standard_short.py"
trainer = dict(type="FreeTrainer", num_replays=5, epsilon=8 / 255)
train_cfg = dict(max_epochs=60, iterations_per_epoch=20)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
validation = dict(  # every second epoch: intervals are divided by m, too
    interval=10,
    volume_interval=10,
    attack=dict(type="PGD", num_iterations=5),
    max_attacked=4,
    monitor="mean",
)
init_from = dict(stage="{{ fileDirname }}/rog_standard_short.py")
