attack = dict(type="FABDice", num_iterations=20)
