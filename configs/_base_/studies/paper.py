# What the paper shows on one task, from nothing: ROG and its Free AT; accuracy, single attacks, epsilons, iterations.
words = dict(
    plan="",
    training="--resume",
    cases="--protocol patch --max-cases 20",
    standard="rog_standard_{task} {out}/training/standard/best.pth --task {out}/stored",
    freeat="rog_freeat_{task} {out}/training/freeat/best.pth --task {out}/stored",
    autoattack="--attack autoattack --epsilon 8/255 {cases}",
    epsilons="--attack apgd_ce --epsilon 2/255 4/255 8/255 16/255 {cases}",
    ensemble="--attack segmentation_ensemble --epsilon 8/255 {cases}",
    pgd="--attack pgd --epsilon 2/255 4/255 8/255 {cases}",
)
steps = dict(
    preprocess="preprocess {data} --out {out}/stored {plan}",
    train_standard="train rog_standard_{task} --task {out}/stored --work-dir {out}/training/standard {training}",
    train_freeat="train rog_freeat_{task} --task {out}/stored --work-dir {out}/training/freeat {training} "
    "--cfg-options init_from.checkpoint={out}/training/standard/best.pth",
    test_standard="test {standard} --data {data} --out {out}/test_standard",
    test_freeat="test {freeat} --data {data} --out {out}/test_freeat",
    autoattack_standard="attack {standard} {autoattack} --out {out}/autoattack_standard",
    autoattack_freeat="attack {freeat} {autoattack} --out {out}/autoattack_freeat",
    ensemble_standard="attack {standard} {ensemble} --out {out}/ensemble_standard",
    ensemble_freeat="attack {freeat} {ensemble} --out {out}/ensemble_freeat",
    epsilons_standard="attack {standard} {epsilons} --out {out}/epsilons_standard",
    epsilons_freeat="attack {freeat} {epsilons} --out {out}/epsilons_freeat",
    pgd_standard="attack {standard} {pgd} --out {out}/pgd_standard",
)
sections = [
    dict(
        title="Accuracy without attack",
        text="Whole volumes in the raw grid, the validation cases of the fold.",
        records=["standard=test_standard", "Free AT=test_freeat"],
        tables=["results", "measures"],
        figures=["dice_per_class"],
    ),
    dict(
        title="Single attacks and their worst case (the paper's table 1)",
        text="AutoAttack member by member at 8/255, and the ensemble that was made for segmentation.",
        records=[
            "standard=autoattack_standard",
            "standard=ensemble_standard",
            "Free AT=autoattack_freeat",
            "Free AT=ensemble_freeat",
        ],
        tables=["results"],
        figures=["single_attacks", "attacked_slices"],
    ),
    dict(
        title="Dice against epsilon (the paper's figures 1 and 4)",
        text="APGD on cross-entropy, each epsilon on the same cases.",
        records=["standard=epsilons_standard", "Free AT=epsilons_freeat"],
        tables=["results"],
        figures=["dice_over_epsilon", "dice_per_class", "smallest_epsilon"],
    ),
    dict(
        title="PGD against APGD (the paper's figure 3)",
        text="Both on cross-entropy; the smaller area under the curve is the stronger attack.",
        records=["standard=epsilons_standard", "standard=pgd_standard"],
        tables=["results"],
        figures=["attack_area"],
    ),
]
