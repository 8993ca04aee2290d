attack = dict(type="FAB", num_iterations=20)
