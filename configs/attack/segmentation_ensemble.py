# Four objectives made for segmentation, each with shrinking radius.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/segmentation_ensemble.py"]
