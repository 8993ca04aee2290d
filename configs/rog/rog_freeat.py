# ROG with Free adversarial training, as in the paper: epsilon 8/255, each mini-batch replayed m = 5 times. Epochs and
# patience are those of standard training; the training loop divides them by m, so gradient passes are the same.
_base_ = "./rog_standard.py"
trainer = dict(type="FreeTrainer", num_replays=5, epsilon=8 / 255)
# The checkpoint with the highest mean of clean Dice and Dice under this cheap attack, at the trainer's epsilon, is the
# best one.
validation = dict(attack=dict(type="PGD", num_iterations=5), max_attacked=4, monitor="mean")
# Where no finished training of this kind is found, it is done first.
init_from = dict(stage="{{ fileDirname }}/rog_standard.py")
