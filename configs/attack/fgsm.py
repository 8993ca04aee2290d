# One step: the weakest attack here, no evidence of robustness.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/fgsm.py"]
