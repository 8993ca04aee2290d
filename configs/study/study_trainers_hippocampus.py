# Which trainer makes the light network most robust: three seeds of each at 600 gradient passes, half of what the
# configs have, from three clean networks; then what m, epsilon, passes and the size of mini-batches change at 1,200.
title = "Hippocampus: six trainers with three seeds each, at equal gradient passes"
_trainers = dict(
    freeat="train_cfg.max_epochs=30 default_hooks.ema.momentum=0.16",
    nfgsm="train_cfg.max_epochs=6 default_hooks.ema.momentum=0.06",
    pgdat="train_cfg.max_epochs=6 default_hooks.ema.momentum=0.14",
    trades="train_cfg.max_epochs=5 default_hooks.ema.momentum=0.2",
    seat="train_cfg.max_epochs=30 default_hooks.ema.momentum=0.1",
)
_seeds = (0, 1, 2)
words = dict(
    task="--task {out}/stored",
    parallel="",
    cases="--protocol patch --max-cases 12 {parallel}",
    attack="--attack segmentation_ensemble --attack-options attack.num_iterations=10 --epsilon 8/255 {cases}",
    raw="--data {data}",
    options="",
)
_variants = dict(
    m3="trainer.num_replays=3",
    m10="trainer.num_replays=10",
    eps4="trainer.epsilon=0.01568627450980392",
    eps12="trainer.epsilon=0.047058823529411764",
    passes4800="train_cfg.max_epochs=240 default_hooks.ema.momentum=0.02 validation.interval=40 "
    "validation.volume_interval=40",
    batch16="train_data.batch_size=16",
)
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
    **{name: ("rog_freeat_hippocampus_light", options) for name, options in _variants.items()},
)
steps = dict(
    preprocess="preprocess {data} --out {out}/stored --plan configs/_base_/tasks/hippocampus_light.json",
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


def _section(title, text, names, tables):
    return [
        dict(
            title=f"{title}: {what}",
            text=text,
            records=[f"{label}={command}_{name}" for label, name in names.items()],
            tables=list(shown),
        )
        for what, command, shown in (("clean", "test", tables[:1]), ("attacked", "attack", tables))
    ]


_budget = (
    "Each adversarial training starts from its seed's clean network and has 600 gradient passes; 12 of the 52 cases "
    "are attacked."
)
sections = [
    *_section(
        "Over three seeds",
        _budget,
        {f"{trainer}#{seed}": f"{trainer}_{seed}" for trainer in ("standard", *_trainers) for seed in _seeds},
        ("trainings", "training_differences"),
    ),
    *(
        section
        for seed in _seeds
        for section in _section(
            f"Seed {seed}",
            _budget,
            {trainer: f"{trainer}_{seed}" for trainer in ("standard", *_trainers)},
            ("results", "differences"),
        )
    ),
    *_section(
        "What decides Free AT",
        "One training each, from the zoo's clean network, one setting changed: m, the epsilon of the training, "
        "passes, and the size of mini-batches.",
        {name: name for name in _variants},
        ("results", "differences"),
    ),
]
