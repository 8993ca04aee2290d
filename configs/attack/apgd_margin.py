# APGD on the margin.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/apgd.py"]

attack = dict(objective=dict(type="Margin"))
