# Which trainer makes the light network most robust: three seeds of each at 600 gradient passes, half of what the
# configs have, from three clean networks.
_base_ = "../_base_/studies/light_trainings.py"
title = "Hippocampus: six trainers with three seeds each, at equal gradient passes"
_trainers = dict(
    freeat="train_cfg.max_epochs=30 default_hooks.ema.momentum=0.16",
    nfgsm="train_cfg.max_epochs=6 default_hooks.ema.momentum=0.06",
    pgdat="train_cfg.max_epochs=6 default_hooks.ema.momentum=0.14",
    trades="train_cfg.max_epochs=5 default_hooks.ema.momentum=0.2",
    seat="train_cfg.max_epochs=30 default_hooks.ema.momentum=0.1",
)
_seeds = (0, 1, 2)
_trained = dict(
    **{
        f"standard_{seed}": (
            "rog_standard_hippocampus_light_long",
            f"seed={seed} train_cfg.max_epochs=20 default_hooks.ema.momentum=0.02",
        )
        for seed in _seeds
    },
    **{
        f"{trainer}_{seed}": (
            f"rog_{trainer}_hippocampus_light",
            f"seed={seed} {schedule} init_from.checkpoint={{out}}/training/standard_{seed}/best.pth",
        )
        for seed in _seeds
        for trainer, schedule in _trainers.items()
    },
)
steps = dict(
    **{
        f"train_{name}": f"train {config} {{task}} --work-dir {{out}}/training/{name} --resume "
        f"--cfg-options {options} {{options}}"
        for name, (config, options) in _trained.items()
    },
    **{
        f"{command}_{name}": f"{command} {config} {{out}}/training/{name}/best.pth {{task}} {{{arguments}}} "
        f"--out {{out}}/{command}_{name}"
        for command, arguments in (("attack", "attack"), ("test", "raw"))
        for name, (config, _) in _trained.items()
    },
)


def _section(title, names, tables):
    return [
        dict(
            title=f"{title}: {what}",
            text="Each adversarial training starts from its seed's clean network and has 600 gradient passes; 12 of "
            "the 52 cases are attacked.",
            records=[f"{label}={command}_{name}" for label, name in names.items()],
            tables=list(shown),
        )
        for what, command, shown in (("clean", "test", tables[:1]), ("attacked", "attack", tables))
    ]


_names = ("standard", *_trainers)
sections = [
    *_section(
        "Over three seeds",
        {f"{name}#{seed}": f"{name}_{seed}" for name in _names for seed in _seeds},
        ("trainings", "training_differences"),
    ),
    *(
        section
        for seed in _seeds
        for section in _section(f"Seed {seed}", {name: f"{name}_{seed}" for name in _names}, ("results", "differences"))
    ),
]
