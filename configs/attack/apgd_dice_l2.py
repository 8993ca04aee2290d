# APGD on scale-free soft Dice in L2.
_base_ = ["../_base_/attacks/l2.py", "../_base_/attacks/apgd.py"]

attack = dict(objective=dict(type="ScaleFree", objective=dict(type="SoftDice")))
