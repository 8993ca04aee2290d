# APGD that makes one class vanish: the last one, which is the lesion in the tasks that have one.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/apgd.py"]

attack = dict(objective=dict(type="RemoveClass", target_class=-1), select="objective")
criterion = dict(type="ClassVanished", target_class=-1)
