# FAB on the Dice surface in L2, minimal norm: a result longer than epsilon is a failure.
_base_ = ["../_base_/attacks/l2.py", "../_base_/attacks/fab_dice.py"]
