# Soft Dice at two temperatures, two other objectives, then two refinements of the worst volume.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/strongest.py"]
