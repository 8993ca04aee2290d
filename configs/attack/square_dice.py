# Square on the Dice itself: a black box.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/square.py"]

attack = dict(objective=dict(type="HardDice"))
