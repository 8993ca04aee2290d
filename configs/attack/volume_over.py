# APGD that makes the organ too large by a fifth: all foreground as one organ.
_base_ = ["../_base_/attacks/linf.py", "../_base_/attacks/apgd.py"]

attack = dict(
    objective=dict(type="ScaleFree", objective=dict(type="ChangeVolume", direction="over")), select="objective"
)
criterion = dict(type="VolumeOff", direction="over", share=0.2)
