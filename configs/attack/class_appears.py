# APGD that makes a class appear in cases that have none: the last one, which is the lesion in the tasks that have one.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/apgd.py"]

attack = dict(objective=dict(type="ScaleFree", objective=dict(type="PlantClass", target_class=-1)), select="objective")
criterion = dict(type="ClassAppears", target_class=-1)
