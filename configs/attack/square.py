# Square on the mean margin: a black box.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/square.py"]
