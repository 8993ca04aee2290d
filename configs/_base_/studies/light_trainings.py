# What studies of trainings of the light hippocampus network share: its cases, and the attack that judges them.
words = dict(
    task="--task {out}/stored",
    parallel="",
    cases="--protocol patch --max-cases 12 {parallel}",
    attack="--attack segmentation_ensemble --attack-options attack.num_iterations=10 --epsilon 8/255 {cases}",
    raw="--data {data}",
    options="",
)
steps = dict(preprocess="preprocess {data} --out {out}/stored --plan configs/_base_/tasks/hippocampus_light.json")
