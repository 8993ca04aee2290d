# What the paper shows, from nothing, for every system it names, on cases that no choice was made on.
# nnU-Net is trained by its own commands: --set nnunet=FOLDER names the folder of what it trained.
title = "Hippocampus: how robust are ROG and what the paper compares it with, and what does Free AT change"
words = dict(
    nnunet="nnunet",
    parallel="",
    source="--data {data} --reference {out}/stored {parallel}",
    cases="{source} --protocol patch",
    few="{cases} --max-cases 12",
    # One cycle of the learning rate instead of the paper's plateaus; patches are mirrored, as ROG's are here.
    cycle="optim_wrapper.optimizer.type=AdamW optim_wrapper.optimizer.amsgrad=False "
    "\"param_scheduler=[{{'type':'OneCycle','by_epoch':False}}]\" plateau=None train_data.batch_size=4 "
    "\"train_data.dataset.transforms=[{{'type':'RandomMirror'}},{{'type':'ClipToBox'}}]\"",
    validated="validation.interval=4 validation.volume_interval=4 validation.max_patches=12",
    iterations_2000="train_cfg.max_epochs=20 train_cfg.iterations_per_epoch=100",
    short="--cfg-options {cycle} {validated} {iterations_2000}",
    short_freeat="--cfg-options {cycle} {validated} train_cfg.max_epochs=60 train_cfg.iterations_per_epoch=25",
    bfloat16="optim_wrapper.type=AutocastOptimWrapper",
    half="inference.dtype=bfloat16",
    long="",
    minutes="--minutes 30",
    task="--task {out}/stored",
    standard="rog_standard_hippocampus_long {out}/training/standard/best.pth",
    freeat="rog_freeat_hippocampus_long {out}/training/freeat/best.pth",
    unetpp="unetpp_standard_hippocampus {out}/training/unetpp/best.pth",
    unetpp_freeat="unetpp_freeat_hippocampus {out}/training/unetpp_freeat/best.pth",
    resenc="resenc_standard_hippocampus {out}/training/resenc/best.pth",
    mpunet="mpunet_fusion_hippocampus {out}/training/mpunet_fusion/best.pth",
    raw="{nnunet} --cfg-options mirroring=False",
    hardened="{out}/hardened --cfg-options mirroring=False",
    autoattack="--attack autoattack --attack-options attack.num_queries=500 --epsilon 8/255 {cases}",
    passes="--attack strongest --attack-options attack.num_passes=400",
    strongest="{passes} --epsilon 8/255 {cases}",
    ensemble="--attack segmentation_ensemble --attack-options attack.num_iterations=100 --epsilon 8/255 {few}",
    sea="--attack sea --attack-options attack.num_iterations=133 --epsilon 8/255 {few}",
    epsilons="--attack apgd_ce --epsilon 2/255 4/255 8/255 16/255",
    iterations="--attack apgd_ce --epsilon 8/255 {few} --attack-options",
    volume="--attack apgd_ce --epsilon 8/255 {source} --max-cases 12",
    smallest="--epsilon 1/255 2/255 4/255 8/255 {few} --attack",
)
steps = dict(
    preprocess="preprocess {data} --out {out}/stored",
    # Trainings.
    train_standard="train rog_standard_hippocampus_long {task} --work-dir {out}/training/standard --resume "
    "--cfg-options seed=0 {long}",
    train_unetpp="train unetpp_standard_hippocampus {task} --work-dir {out}/training/unetpp --resume {short} "
    "{bfloat16}",
    train_resenc="train resenc_standard_hippocampus {task} --work-dir {out}/training/resenc --resume {short}",
    train_mpunet="train mpunet_standard_hippocampus {task} --work-dir {out}/training/mpunet --resume --cfg-options "
    "{cycle} {iterations_2000} {bfloat16} optim_wrapper.optimizer.lr=5e-4 model.planes_per_case=4 "
    "validation.interval=20 validation.volume_interval=20 validation.max_patches=12",
    train_freeat="train rog_freeat_hippocampus_long {task} --work-dir {out}/training/freeat --resume "
    "--cfg-options init_from.checkpoint={out}/training/standard/best.pth {long}",
    train_unetpp_freeat="train unetpp_freeat_hippocampus {task} --work-dir {out}/training/unetpp_freeat --resume "
    "{short_freeat} {bfloat16} init_from.checkpoint={out}/training/unetpp/best.pth",
    train_mpunet_fusion="train mpunet_fusion_hippocampus {task} --work-dir {out}/training/mpunet_fusion --resume "
    "--cfg-options init_from.checkpoint={out}/training/mpunet/best.pth {bfloat16} train_data.batch_size=1 "
    "train_cfg.max_epochs=3 train_cfg.iterations_per_epoch=20 validation.interval=3 validation.volume_interval=3",
    # Attacks that take long, then accuracy and what is quick.
    strongest_freeat="attack {freeat} {strongest} --out {out}/strongest_freeat",
    autoattack_freeat="attack {freeat} {autoattack} --out {out}/autoattack_freeat",
    strongest_unetpp="attack {unetpp} {passes} --epsilon 8/255 {few} --out {out}/strongest_unetpp",
    strongest_unetpp_freeat="attack {unetpp_freeat} {passes} --epsilon 8/255 {few} --out {out}/strongest_unetpp_freeat",
    epsilons_freeat="attack {freeat} {epsilons} {cases} --out {out}/epsilons_freeat",
    epsilons_standard="attack {standard} {epsilons} {cases} --out {out}/epsilons_standard",
    autoattack_standard="attack {standard} {autoattack} --out {out}/autoattack_standard",
    strongest_standard="attack {standard} {strongest} --out {out}/strongest_standard",
    epsilons_unetpp="attack {unetpp} {epsilons} {cases} --out {out}/epsilons_unetpp",
    epsilons_unetpp_freeat="attack {unetpp_freeat} {epsilons} {cases} --out {out}/epsilons_unetpp_freeat",
    test_unetpp="test {unetpp} --data {data} --out {out}/test_unetpp",
    test_unetpp_freeat="test {unetpp_freeat} --data {data} --out {out}/test_unetpp_freeat",
    # Its planes are of whole volumes, most of which lie in one window of this size.
    test_mpunet="test {mpunet} --data {data} --out {out}/test_mpunet --cfg-options "
    "inference.window_size=[40,56,40] {half}",
    epsilons_mpunet="attack {mpunet} --attack apgd_ce --epsilon 8/255 {few} --out {out}/epsilons_mpunet "
    "--cfg-options {half} model.recompute=False",
    ensemble_unetpp="attack {unetpp} {ensemble} --out {out}/ensemble_unetpp",
    sea_unetpp="attack {unetpp} {sea} --out {out}/sea_unetpp",
    test_resenc="test {resenc} --data {data} --out {out}/test_resenc",
    epsilons_resenc="attack {resenc} {epsilons} {few} --out {out}/epsilons_resenc",
    test_standard="test {standard} --data {data} --out {out}/test_standard",
    test_freeat="test {freeat} --data {data} --out {out}/test_freeat",
    pgd_standard="attack {standard} --attack pgd --epsilon 2/255 4/255 8/255 16/255 {cases} --out {out}/pgd_standard",
    iterations_5="attack {freeat} {iterations} attack.num_iterations=5 --out {out}/iterations_5",
    iterations_10="attack {freeat} {iterations} attack.num_iterations=10 --out {out}/iterations_10",
    iterations_20="attack {freeat} {iterations} attack.num_iterations=20 --out {out}/iterations_20",
    iterations_100="attack {freeat} {iterations} attack.num_iterations=100 --out {out}/iterations_100",
    fab_standard="attack {standard} {smallest} fab --out {out}/fab_standard",
    fab_dice_standard="attack {standard} {smallest} fab_dice --out {out}/fab_dice_standard",
    volume_standard="attack {standard} {volume} --out {out}/volume_standard",
    volume_freeat="attack {freeat} {volume} --out {out}/volume_freeat",
    # The same of nnU-Net, which rogseg hardens.
    test_nnunet="test {nnunet} --data {data} --cfg-options mirroring=False --out {out}/test_nnunet",
    epsilons_nnunet="attack {raw} {epsilons} {cases} --out {out}/epsilons_nnunet",
    harden_nnunet="harden {nnunet} --data {data} {minutes} --out {out}/hardened",
    strongest_nnunet="attack {raw} {passes} --epsilon 8/255 {few} --out {out}/strongest_nnunet",
    test_hardened="test {out}/hardened --data {data} --cfg-options mirroring=False --out {out}/test_hardened",
    epsilons_hardened="attack {hardened} {epsilons} {cases} --out {out}/epsilons_hardened",
    mirrored_nnunet="attack {nnunet} --attack apgd_ce --epsilon 8/255 {few} --out {out}/mirrored_nnunet",
    test_nnunet_mirrored="test {nnunet} --data {data} --out {out}/test_nnunet_mirrored",
)
sections = [
    dict(
        title="Accuracy without attack (what we can measure of the paper's table 2)",
        text="Whole volumes in the raw grid, the 52 validation cases of fold 0. The standard networks are trained for"
        " 2,000 mini-batches under one cycle, nnU-Net by its own trainer; nnU-Net with and without its eight mirrored"
        " copies. MPUNet computes in bfloat16.",
        records=[
            "ROG standard=test_standard",
            "ROG Free AT=test_freeat",
            "UNet++ standard=test_unetpp",
            "UNet++ Free AT=test_unetpp_freeat",
            "ResEnc U-Net standard=test_resenc",
            "MPUNet standard=test_mpunet",
            "nnU-Net=test_nnunet",
            "nnU-Net mirrored=test_nnunet_mirrored",
            "nnU-Net hardened=test_hardened",
        ],
        tables=["results", "measures"],
    ),
    dict(
        title="Single attacks and their worst case (the paper's table 1)",
        text="AutoAttack's four members and their worst case, each on every case of the fold, and `strongest`, which"
        " was made for segmentation, with 400 passes a case.",
        records=[
            "ROG standard=autoattack_standard",
            "ROG standard=strongest_standard",
            "ROG Free AT=autoattack_freeat",
            "ROG Free AT=strongest_freeat",
        ],
        common_cases=True,
        tables=["results"],
        figures=["single_attacks", "attacked_slices"],
    ),
    dict(
        title="Dice against epsilon (the paper's figures 1 and 4)",
        text="APGD on cross-entropy with 20 iterations, at equal raw epsilon; each case's window around its target.",
        records=[
            "ROG standard=epsilons_standard",
            "ROG Free AT=epsilons_freeat",
            "UNet++ standard=epsilons_unetpp",
            "UNet++ Free AT=epsilons_unetpp_freeat",
            "nnU-Net=epsilons_nnunet",
            "nnU-Net hardened=epsilons_hardened",
        ],
        common_cases=True,
        tables=["results", "differences"],
        figures=["dice_over_epsilon", "dice_per_class", "smallest_epsilon"],
    ),
    dict(
        title="More networks, fewer cases",
        text="12 of the 52 cases: nnU-Net with its mirrored copies, MPUNet through the sampling of its planes,"
        " nnU-Net's residual encoder trained by rogseg.",
        records=[
            "nnU-Net mirrored=mirrored_nnunet",
            "MPUNet standard=epsilons_mpunet",
            "ResEnc U-Net standard=epsilons_resenc",
        ],
        common_cases=True,
        tables=["results"],
        figures=["dice_over_epsilon"],
    ),
    dict(
        title="`strongest` with 400 passes on the other networks",
        text="12 of the 52 cases; for UNet++ also `segmentation_ensemble` with 100 iterations a member, and SEA with"
        " 133.",
        records=[
            "nnU-Net=strongest_nnunet",
            "UNet++ standard=strongest_unetpp",
            "UNet++ Free AT=strongest_unetpp_freeat",
            "UNet++ standard=ensemble_unetpp",
            "UNet++ standard=sea_unetpp",
        ],
        common_cases=True,
        tables=["results"],
        figures=["single_attacks"],
    ),
    dict(
        title="PGD against APGD (the paper's figure 3)",
        text="Both on cross-entropy, as many iterations; the smaller area under the curve is the stronger attack.",
        records=["ROG standard=epsilons_standard", "ROG standard=pgd_standard"],
        tables=["results"],
        figures=["attack_area"],
    ),
    dict(
        title="5, 10, 20 and 100 iterations",
        text="APGD on cross-entropy at 8/255, 12 of the 52 cases.",
        records=[
            "5 iterations=iterations_5",
            "10 iterations=iterations_10",
            "20 iterations=iterations_20",
            "100 iterations=iterations_100",
        ],
        tables=["results"],
    ),
    dict(
        title="FAB against FAB on the Dice surface",
        text="The smallest epsilon that fools a case, 12 of the 52.",
        records=["ROG standard=fab_standard", "ROG standard=fab_dice_standard"],
        tables=["results"],
        figures=["smallest_epsilon"],
    ),
    dict(
        title="Whole volumes instead of one window",
        text="The same attack through the sliding window on 12 of the 52 cases; the table of `patch` is above.",
        records=["ROG standard=volume_standard", "ROG Free AT=volume_freeat"],
        tables=["results"],
    ),
]
