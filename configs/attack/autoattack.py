# APGD-CE, APGD-DLR, FAB-T and Square, per case the worst.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/autoattack.py"]
