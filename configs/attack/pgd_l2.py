# PGD on cross-entropy in L2.
_base_ = ["../_base_/attacks/l2.py", "../_base_/attacks/pgd.py"]
