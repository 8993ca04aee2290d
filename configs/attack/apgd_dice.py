# APGD on soft Dice.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/apgd.py"]

attack = dict(objective=dict(type="SoftDice"))
