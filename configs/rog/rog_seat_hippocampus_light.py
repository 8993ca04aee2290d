# 1,200 gradient passes from the clean light network, as the other light adversarial trainings: 60 epochs of standard
# training, 18 where the replays grow after every third epoch. They follow the learning rate's schedule pass by pass.
_base_ = "./rog_freeat_hippocampus_light.py"
trainer = dict(
    _delete_=True, type="SEATTrainer", trainer=dict(type="FreeTrainer", num_replays=1, epsilon=8 / 255), max_replays=5
)
default_hooks = dict(ema=dict(momentum=0.05))
validation = dict(interval=2, volume_interval=2)
