# SEA (Croce, Singh and Hein 2024) as published; depends on the scale of the logits.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/sea.py"]
