# The paper's plan trained to its end, with averaged weights: minutes on a GPU, half a day on two cores.
_base_ = "./rog_standard_hippocampus_light_long.py"
task = dict(strides=[[1, 1, 1], [1, 1, 1], [2, 2, 2]])
train_data = dict(batch_size=4)
