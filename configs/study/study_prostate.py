_base_ = "../_base_/studies/paper.py"
title = "Prostate: how robust is ROG, and what does Free AT change"
words = dict(task="prostate")
