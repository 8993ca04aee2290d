# PDPGD, minimal norm: primal and dual steps; a longer result is put into the ball.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/pdpgd.py"]
