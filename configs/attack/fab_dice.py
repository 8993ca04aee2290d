# FAB on the Dice surface, minimal norm: a result longer than epsilon is a failure.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/fab_dice.py"]
