# Epsilon is a step of quantisation of the coefficients of a block's cosine transform, a fraction of the box's width.
# Another threat model: its epsilon does not compare with those of Linf or L2.
threat = dict(type="QuantisationThreat", unit="fraction")
epsilons = [20 / 255]
