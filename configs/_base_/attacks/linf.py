# Every voxel moves by at most epsilon, a fraction of the width of its channel's intensity box.
threat = dict(type="LinfThreat", unit="fraction")
epsilons = [8 / 255]
