# Four objectives from random starts, then two refinements of the worst volume.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/strongest.py"]
