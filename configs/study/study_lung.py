_base_ = "../_base_/studies/paper.py"
title = "Lung tumours: how robust is ROG, and what does Free AT change"
words = dict(task="lung")
