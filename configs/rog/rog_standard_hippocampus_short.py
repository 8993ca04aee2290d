# The paper's plan for hippocampus under the short schedule: an evening on two cores.
_base_ = "./rog_standard_hippocampus_light.py"
task = dict(strides=[[1, 1, 1], [1, 1, 1], [2, 2, 2]])
train_cfg = dict(max_epochs=20)
