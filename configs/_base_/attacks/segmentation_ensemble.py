# Four members of 100 iterations each: its default budget.
attack = dict(type="SegmentationEnsemble", num_iterations=100, mode="all")
