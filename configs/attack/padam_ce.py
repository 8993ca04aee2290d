# Projected Adam on cross-entropy.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/padam.py"]
