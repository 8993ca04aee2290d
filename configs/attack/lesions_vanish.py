# APGD that makes lesions vanish one by one: connected components of the last class.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/apgd.py"]

attack = dict(
    objective=dict(type="ScaleFree", objective=dict(type="RemoveLesions", target_class=-1)), select="objective"
)
criterion = dict(type="LesionsMissed", target_class=-1)
