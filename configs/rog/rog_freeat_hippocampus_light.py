# 1,800 gradient passes from the clean light network: 12 epochs (60 / m) of 30 mini-batches, each replayed m = 5 times.
_base_ = "./rog_standard_hippocampus_light.py"
trainer = dict(type="FreeTrainer", num_replays=5, epsilon=8 / 255)
train_cfg = dict(max_epochs=60, iterations_per_epoch=30)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
validation = dict(attack=dict(type="PGD", num_iterations=5), epsilon=8 / 255, max_attacked=4, monitor="mean")
init_from = dict(zoo="rog_standard_hippocampus_light", stage="{{ fileDirname }}/rog_standard_hippocampus_light.py")
