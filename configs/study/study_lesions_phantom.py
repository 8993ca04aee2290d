# A clinic's questions where lesions are known, since they are made: rogseg phantom data/raw/Task91_Phantom
# --shape 40 40 32 --training 60 --test 0. Everything here is synthetic.
title = "Phantoms with lesions (synthetic): what vanishes, and what is measured wrongly"
words = dict(
    training="--minutes 10 --resume",
    # A third of the multiplications of the plan's strides, as in the light plan of hippocampus.
    light="model.backbone.strides=[[1,1,1],[2,2,2],[2,2,2]]",
    standard="rog_standard_short {out}/training/standard/best.pth --task {out}/stored --cfg-options {light}",
    freeat="rog_freeat_short {out}/training/freeat/best.pth --task {out}/stored --cfg-options {light}",
    epsilons="--epsilon 8/255 16/255 32/255 --protocol patch",
    measures="\"measures=[{{'type':'Dice'}},{{'type':'VolumeError'}},{{'type':'LesionSensitivity'}},"
    "{{'type':'LesionSensitivity','max_volume':0.2}},{{'type':'LesionSensitivity','min_volume':0.2}}]\"",
    lesions="--attack lesions_vanish --attack-options {measures}",
    under="--attack volume_under --attack-options attack.objective.objective.target_class=-1 criterion.target_class=-1"
    " {measures}",
)
steps = dict(
    preprocess="preprocess {data} --out {out}/stored",
    train_standard="train rog_standard_short --task {out}/stored --work-dir {out}/training/standard {training} "
    "--cfg-options {light}",
    train_freeat="train rog_freeat_short --task {out}/stored --work-dir {out}/training/freeat {training} "
    "--cfg-options {light} init_from.checkpoint={out}/training/standard/best.pth",
    lesions_standard="attack {standard} {lesions} {epsilons} --out {out}/lesions_standard",
    lesions_freeat="attack {freeat} {lesions} {epsilons} --out {out}/lesions_freeat",
    under_standard="attack {standard} {under} {epsilons} --out {out}/under_standard",
    under_freeat="attack {freeat} {under} {epsilons} --out {out}/under_freeat",
)
sections = [
    dict(
        title="Lesions that vanish",
        text="Each case's window around its target, APGD with 20 iterations. A case falls when every lesion of it is"
        " missed: at most a tenth of its voxels found. The sensitivity counts a lesion of which any voxel is found, of"
        " all lesions and by their size.",
        records=["standard=lesions_standard", "Free AT=lesions_freeat"],
        tables=["results", "measures"],
        figures=["dice_per_class"],
    ),
    dict(
        title="Lesions that are measured too small by a fifth",
        text="A case falls whose lesions lose a fifth of their volume.",
        records=["standard=under_standard", "Free AT=under_freeat"],
        tables=["results", "measures"],
    ),
]
