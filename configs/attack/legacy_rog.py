# What the released code would have reported; wrong on purpose. Add --protocol patch: it took one window a case.
_base_ = ["../_base_/attacks/legacy_rog.py"]

# Inputs clamped to [0, 1] although they are z-scores, and epsilon in network units.
threat = dict(type="LegacyROGThreat", unit="network")
epsilons = [8 / 255]
