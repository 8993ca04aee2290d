# AutoAttack with the budget of the paper's table 1.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/autoattack.py"]

attack = dict(num_iterations=5, num_queries=500)
