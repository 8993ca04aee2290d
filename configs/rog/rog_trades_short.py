# ROG with TRADES for any task, on small machines: as many gradient passes as rog_freeat_short, 1,200.
_base_ = "./rog_freeat_short.py"
trainer = dict(
    _delete_=True,
    type="AdversarialTrainer",
    craft=dict(type="PGDCraft", num_iterations=3, start="noise"),
    loss=dict(type="TRADES", beta=6.0),
    epsilon=8 / 255,
)
train_cfg = dict(max_epochs=10, iterations_per_epoch=20)
validation = dict(interval=2, volume_interval=2)
