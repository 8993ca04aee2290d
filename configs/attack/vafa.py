# VAFA: rounding in the frequency domain, its steps chosen by the adversary; a threat model of its own.
_base_ = ["../_base_/attacks/quantisation.py", "../_base_/attacks/vafa.py"]
