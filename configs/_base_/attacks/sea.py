# Three members of 300 iterations each, as published.
attack = dict(type="SEA", num_iterations=300, mode="all")
