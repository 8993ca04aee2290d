# APGD on the masked correlation of logits and truth.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/apgd.py"]

attack = dict(objective=dict(type="MaskedCorrelation"))
