# ROG with MART: 5 gradient passes per mini-batch, 3 to craft and 2 to train.
# Fewer epochs than standard training, so that gradient passes are the same.
_base_ = "./rog_freeat.py"
trainer = dict(
    _delete_=True,
    type="AdversarialTrainer",
    craft=dict(type="PGDCraft", num_iterations=3),
    loss=dict(type="MART", consistency=5.0),
    epsilon=8 / 255,
)
train_cfg = dict(max_epochs=200)
plateau = dict(patience=10)
