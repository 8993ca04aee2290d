# What decides Free AT: m, the epsilon of the training, passes and the size of mini-batches, one changed at a time.
_base_ = "../_base_/studies/light_trainings.py"
title = "Hippocampus: what decides Free adversarial training"
_variants = dict(
    plain="",
    m3="trainer.num_replays=3",
    m10="trainer.num_replays=10",
    eps4="trainer.epsilon=0.01568627450980392",
    eps12="trainer.epsilon=0.047058823529411764",
    passes4800="train_cfg.max_epochs=240 default_hooks.ema.momentum=0.02 validation.interval=40 "
    "validation.volume_interval=40",
    batch16="train_data.batch_size=16",
)
steps = dict(
    **{
        f"train_{name}": f"train rog_freeat_hippocampus_light {{task}} --work-dir {{out}}/training/{name} --resume "
        f"--cfg-options seed=0 {options} {{options}}"
        for name, options in _variants.items()
    },
    **{
        f"{command}_{name}": f"{command} rog_freeat_hippocampus_light {{out}}/training/{name}/best.pth {{task}} "
        f"{{{arguments}}} --out {{out}}/{command}_{name}"
        for command, arguments in (("attack", "attack"), ("test", "raw"))
        for name in _variants
    },
)
sections = [
    dict(
        title=what,
        text="One training of 1,200 gradient passes each, from the zoo's clean network; 12 of 52 cases are attacked.",
        records=[f"{name}={command}_{name}" for name in _variants],
        tables=tables,
    )
    for what, command, tables in (("Clean", "test", ["results"]), ("Attacked", "attack", ["results", "differences"]))
]
