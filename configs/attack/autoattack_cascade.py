# AutoAttack whose later members meet only the cases that still stand.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/autoattack.py"]

attack = dict(mode="cascade")
