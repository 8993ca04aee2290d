# PGD on cross-entropy.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/pgd.py"]
