attack = dict(type="ALMAProx", num_iterations=200)
