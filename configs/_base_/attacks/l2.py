# The root mean square of the perturbation over the values that may move is at most epsilon, a fraction of the box's
# width. Not the epsilon of Linf: this ball contains that one and can spend all of it on a few voxels.
threat = dict(type="L2Threat", unit="fraction")
epsilons = [1 / 255]
