# Square on the Dice itself in L2: a black box.
_base_ = ["../_base_/attacks/l2.py", "../_base_/attacks/square.py"]

attack = dict(objective=dict(type="HardDice"))
