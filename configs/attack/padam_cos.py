# Projected Adam on the cosine between logits and truth.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/padam.py"]

attack = dict(objective=dict(type="LogitCosine"))
