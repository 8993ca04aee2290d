# ROG with N-FGSM adversarial training: 2 gradient passes per mini-batch, 1 to craft and 1 to train.
# Fewer epochs than standard training, so that gradient passes are the same.
_base_ = "./rog_freeat.py"
trainer = dict(_delete_=True, type="AdversarialTrainer", craft=dict(type="NFGSMCraft"), epsilon=8 / 255)
train_cfg = dict(max_epochs=500)
plateau = dict(patience=25)
