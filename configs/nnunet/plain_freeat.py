# nnU-Net's U-Net with Free adversarial training, by the settings of rog_freeat.py.
_base_ = "./plain_standard.py"
trainer = dict(type="FreeTrainer", num_replays=5, epsilon=8 / 255)
validation = dict(attack=dict(type="PGD", num_iterations=5), max_attacked=4, monitor="mean")
init_from = dict(stage="{{ fileDirname }}/plain_standard.py")
