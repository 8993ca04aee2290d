# The light networks of the model zoo as they are, without a training, and a trained nnU-Net beside them, which is
# hardened: --set nnunet=FOLDER names it. What attacks find, and what decides it.
title = "Hippocampus: the light networks of the model zoo and nnU-Net under attack"
words = dict(
    nnunet="nnunet",
    minutes="--minutes 30",
    sweep="--attack apgd_ce --epsilon 2/255 4/255 8/255 16/255 --protocol patch",
    raw="--data {data} --reference {out}/stored",
    cases="--task {out}/stored --protocol patch --max-cases 12",
    standard="rog_standard_hippocampus_light_long",
    freeat="rog_freeat_hippocampus_light",
    epsilons="--attack apgd_ce --epsilon 2/255 4/255 8/255 16/255 {cases}",
    pgd="--attack pgd --epsilon 2/255 4/255 8/255 16/255 {cases}",
    autoattack="--attack autoattack --attack-options attack.num_queries=500 --epsilon 8/255 {cases}",
    l2="--attack apgd_dice_l2 --epsilon 1/255 2/255 {cases}",
    volume="--attack volume_under --epsilon 4/255 8/255 {cases}",
)
_labels = dict(standard="standard", freeat="Free AT")
_iterations = (5, 10, 20, 100)
_queries = (1000, 5000)
steps = dict(
    preprocess="preprocess {data} --out {out}/stored --plan configs/_base_/tasks/hippocampus_light.json",
    test_standard="test {standard} --task {out}/stored --data {data} --out {out}/test_standard",
    test_freeat="test {freeat} --task {out}/stored --data {data} --out {out}/test_freeat",
    epsilons_standard="attack {standard} {epsilons} --out {out}/epsilons_standard",
    autoattack_standard="attack {standard} {autoattack} --out {out}/autoattack_standard",
    autoattack_freeat="attack {freeat} {autoattack} --out {out}/autoattack_freeat",
    # nnU-Net and the fold's 52 cases. Beside ROG at one raw epsilon; compared with itself at fractions of its own box.
    test_nnunet="test {nnunet} --data {data} --cfg-options mirroring=False --out {out}/test_nnunet",
    test_nnunet_mirrored="test {nnunet} --data {data} --out {out}/test_nnunet_mirrored",
    harden_nnunet="harden {nnunet} --data {data} {minutes} --out {out}/hardened",
    test_hardened="test {out}/hardened --data {data} --cfg-options mirroring=False --out {out}/test_hardened",
    mirrored_nnunet="attack {nnunet} --data {data} --attack apgd_ce --epsilon 8/255 --protocol patch --max-cases 12 "
    "--out {out}/mirrored_nnunet",
    strongest_nnunet="attack {nnunet} --data {data} --cfg-options mirroring=False --attack strongest --epsilon 8/255 "
    "--protocol patch --max-cases 12 --out {out}/strongest_nnunet",
    sweep_standard="attack {standard} {raw} {sweep} --out {out}/sweep_standard",
    sweep_freeat="attack {freeat} {raw} {sweep} --out {out}/sweep_freeat",
    # What decides it.
    pgd_standard="attack {standard} {pgd} --out {out}/pgd_standard",
    l2_standard="attack {standard} {l2} --out {out}/l2_standard",
    l2_freeat="attack {freeat} {l2} --out {out}/l2_freeat",
    vafa_standard="attack {standard} --attack vafa {cases} --out {out}/vafa_standard",
    vafa_freeat="attack {freeat} --attack vafa {cases} --out {out}/vafa_freeat",
    volume_standard="attack {standard} {volume} --out {out}/volume_standard",
    volume_freeat="attack {freeat} {volume} --out {out}/volume_freeat",
    # More time for the attacker.
    **{
        f"square_{queries}": f"attack {{standard}} --attack square --attack-options attack.num_queries={queries} "
        f"--epsilon 8/255 {{cases}} --out {{out}}/square_{queries}"
        for queries in _queries
    },
    **{
        f"iterations_{number}_{name}": f"attack {{{name}}} --attack apgd_ce --attack-options "
        f"attack.num_iterations={number} --epsilon 8/255 {{cases}} --out {{out}}/iterations_{number}_{name}"
        for name in _labels
        for number in _iterations
    },
    **{
        f"{attack}_standard": f"attack {{standard}} --attack {attack} --epsilon 1/255 2/255 4/255 8/255 {{cases}} "
        f"--out {{out}}/{attack}_standard"
        for attack in ("fab", "fab_dice")
    },
    **{
        f"whole_{name}": f"attack {{{name}}} {{raw}} --attack apgd_ce --epsilon 8/255 --max-cases 12 "
        f"--out {{out}}/whole_{name}"
        for name in _labels
    },
    # The whole fold.
    sweep_nnunet="attack {nnunet} {raw} --cfg-options mirroring=False {sweep} --out {out}/sweep_nnunet",
    box_nnunet="attack {nnunet} --data {data} --cfg-options mirroring=False {sweep} --out {out}/box_nnunet",
    box_hardened="attack {out}/hardened --data {data} --cfg-options mirroring=False {sweep} --out {out}/box_hardened",
)
sections = [
    dict(
        title="Accuracy without attack",
        text="Whole volumes in the raw grid, the 52 validation cases of fold 0.",
        records=[
            "standard=test_standard",
            "Free AT=test_freeat",
            "nnU-Net=test_nnunet",
            "nnU-Net mirrored=test_nnunet_mirrored",
            "nnU-Net hardened=test_hardened",
        ],
        tables=["results", "measures"],
    ),
    dict(
        title="Dice against epsilon (the paper's figures 1 and 4)",
        text="APGD on cross-entropy with 20 iterations at equal raw epsilon, each case's window around its target."
        " nnU-Net without its mirrored copies.",
        records=["standard=sweep_standard", "Free AT=sweep_freeat", "nnU-Net=sweep_nnunet"],
        common_cases=True,
        tables=["results", "differences"],
        figures=["dice_over_epsilon", "dice_per_class", "smallest_epsilon"],
    ),
    dict(
        title="nnU-Net with its mirrored copies, and under the strongest ensemble",
        text="12 of the cases. The eight mirrored copies are part of the function that is attacked. Epsilon is a"
        " fraction of nnU-Net's own box.",
        records=["nnU-Net mirrored=mirrored_nnunet", "nnU-Net=strongest_nnunet"],
        common_cases=True,
        tables=["results"],
    ),
    dict(
        title="Single attacks and their worst case (the paper's table 1)",
        text="AutoAttack's four members, each on every case.",
        records=["standard=autoattack_standard", "Free AT=autoattack_freeat"],
        tables=["results"],
        figures=["single_attacks", "attacked_slices"],
    ),
    dict(
        title="nnU-Net before and after hardening, on the whole fold",
        text="The same attack; epsilon is a fraction of nnU-Net's own box.",
        records=["nnU-Net=box_nnunet", "nnU-Net hardened=box_hardened"],
        common_cases=True,
        tables=["results", "differences"],
        figures=["dice_over_epsilon"],
    ),
    dict(
        title="PGD against APGD (the paper's figure 3)",
        text="Both on cross-entropy, as many iterations; the smaller area under the curve is the stronger attack.",
        records=["standard=epsilons_standard", "standard=pgd_standard"],
        tables=["results"],
        figures=["attack_area"],
    ),
    dict(
        title="5, 10, 20 and 100 iterations",
        text="APGD on cross-entropy at 8/255, each number of iterations with its own schedule of steps.",
        records=[
            f"{label}, {number} iterations=iterations_{number}_{name}"
            for name, label in _labels.items()
            for number in _iterations
        ],
        tables=["results"],
    ),
    dict(
        title="Square with more queries",
        text="A black box that sees logits; AutoAttack above gives it 500 queries.",
        records=[f"standard, {queries} queries=square_{queries}" for queries in _queries],
        tables=["results"],
    ),
    dict(
        title="FAB against FAB on the Dice surface",
        text="The smallest epsilon that fells a case.",
        records=["standard, FAB=fab_standard", "standard, FAB on the Dice surface=fab_dice_standard"],
        tables=["results"],
        figures=["smallest_epsilon"],
    ),
    dict(
        title="Whole volumes instead of one window",
        text="APGD on cross-entropy with 20 iterations through the sliding window; of one window the table of 20"
        " iterations is above.",
        records=[f"{label}=whole_{name}" for name, label in _labels.items()],
        tables=["results"],
    ),
    dict(
        title="In L2",
        text="Epsilon is a root mean square over the voxels; APGD on soft Dice.",
        records=["standard=l2_standard", "Free AT=l2_freeat"],
        tables=["results"],
        figures=["dice_over_epsilon"],
    ),
    dict(
        title="In the frequency domain",
        text="VAFA rounds coefficients of a cosine transform; its strength is no epsilon.",
        records=["standard=vafa_standard", "Free AT=vafa_freeat"],
        tables=["results"],
    ),
    dict(
        title="A volume that is a fifth too small",
        text="The volume of the hippocampus is what is measured in dementia; a case falls that loses a fifth of it.",
        records=["standard=volume_standard", "Free AT=volume_freeat"],
        tables=["results", "measures"],
    ),
]
