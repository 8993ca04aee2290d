# ROG with SEAT: Free adversarial training that replays each mini-batch once at first and up to five times later.
# An epoch of m replays costs m epochs of standard training, so gradient passes are the same.
_base_ = "./rog_freeat.py"
trainer = dict(
    _delete_=True, type="SEATTrainer", trainer=dict(type="FreeTrainer", num_replays=1, epsilon=8 / 255), max_replays=5
)
