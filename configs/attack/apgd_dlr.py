# APGD on the difference of logits ratio; needs three classes, see apgd_margin.py for two.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/apgd.py"]

attack = dict(objective=dict(type="DLR"))
