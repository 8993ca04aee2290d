# ROG with N-FGSM for any task, on small machines: as many gradient passes as rog_freeat_short, 1,200.
_base_ = "./rog_freeat_short.py"
trainer = dict(_delete_=True, type="AdversarialTrainer", craft=dict(type="NFGSMCraft"), epsilon=8 / 255)
train_cfg = dict(max_epochs=12, iterations_per_epoch=50)
validation = dict(interval=2, volume_interval=2)
