# The released evaluation with all its choices; turn a switch to see what it does to a number.
attack = dict(
    type="LegacyROG",
    num_iterations=5,
    num_restarts=5,
    mix_restarts_by_voxel=True,
    keep_lowest_dice=True,
    queries_as_iterations=True,
    fab_always_five=True,
    compound_threshold=True,
)
