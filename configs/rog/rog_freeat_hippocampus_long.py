# 1,200 gradient passes from the clean network of the paper's plan, by the light network's recipe.
_base_ = "./rog_freeat_hippocampus_light.py"
task = dict(strides=[[1, 1, 1], [1, 1, 1], [2, 2, 2]])
init_from = dict(zoo="rog_standard_hippocampus_long", stage="{{ fileDirname }}/rog_standard_hippocampus_long.py")
