# A second cycle of 1,200 gradient passes of Free AT, on other patches than the first. Its selection cases are others,
# too, and the first cycle saw some of them; those that are reported on were never trained on.
_base_ = "./rog_freeat_hippocampus_light.py"
seed = 1
init_from = dict(zoo="rog_freeat_hippocampus_light", stage="{{ fileDirname }}/rog_freeat_hippocampus_light.py")
