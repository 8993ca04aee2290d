_base_ = "../_base_/studies/paper.py"
title = "Colon cancer: how robust is ROG, and what does Free AT change"
words = dict(task="colon")
