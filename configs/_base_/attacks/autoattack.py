attack = dict(type="AutoAttack", num_iterations=20, num_queries=1000, mode="all")
