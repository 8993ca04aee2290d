# ROG with TRADES: 6 gradient passes per mini-batch, 3 to craft and 3 to train.
# Fewer epochs than standard training, so that gradient passes are the same.
_base_ = "./rog_freeat.py"
trainer = dict(_delete_=True, type="TRADESTrainer", beta=6.0, num_iterations=3, epsilon=8 / 255)
train_cfg = dict(max_epochs=166)
plateau = dict(patience=8)
