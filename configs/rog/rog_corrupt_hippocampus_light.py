# 1,200 gradient passes from the clean light network, as the light adversarial trainings, on patches of which two thirds
# are corrupted. Motion, ghosts, spikes, thick slices, gamma and inverted contrast are left out: a test on them says
# whether it helps against what was not trained on.
_base_ = "./rog_standard_hippocampus_light_long.py"
train_data = dict(
    batch_size=4,
    dataset=dict(
        transforms=[
            dict(
                type="RandomCorruption",
                corruptions=["RicianNoise", "GaussianNoise", "BiasField", "Blur", "GibbsRinging", "WindowShift"],
                max_severity=4,
                probability=0.67,
            ),
            dict(type="ClipToBox"),
        ]
    ),
)
train_cfg = dict(max_epochs=24, iterations_per_epoch=50)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
default_hooks = dict(ema=dict(momentum=0.03))
init_from = dict(
    zoo="rog_standard_hippocampus_light_long", stage="{{ fileDirname }}/rog_standard_hippocampus_light_long.py"
)
