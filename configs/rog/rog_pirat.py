# ROG with PIR-AT: PGD adversarial training for a few epochs, from a network that is robust already.
# A fifth of the gradient passes of the other adversarial trainings; those of the robust start come on top.
_base_ = "./rog_pgdat.py"
train_cfg = dict(max_epochs=50)
plateau = dict(patience=5)
init_from = dict(stage="{{ fileDirname }}/rog_freeat.py")
