# ALMA-prox, minimal norm: a multiplier for every voxel of the organ; a longer result is put into the ball.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/alma_prox.py"]
