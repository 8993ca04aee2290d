attack = dict(type="FGSM", objective=dict(type="CrossEntropy"))
