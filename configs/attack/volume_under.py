# APGD that makes the organ too small by a fifth: all foreground as one organ.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/apgd.py"]

attack = dict(
    objective=dict(type="ScaleFree", objective=dict(type="ChangeVolume", direction="under")), select="objective"
)
criterion = dict(type="VolumeOff", direction="under", share=0.2)
