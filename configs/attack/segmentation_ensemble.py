# The strongest ensemble here.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/segmentation_ensemble.py"]
