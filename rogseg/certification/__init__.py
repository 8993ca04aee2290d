"""Certificates by randomised smoothing: what no perturbation inside a radius can change.

What is certified is the smoothed network, which lets noisy copies of a volume vote; not the network itself.
"""

from rogseg.certification.certificate import Certificate, Questions, samples_needed, smallest_rejected_count
from rogseg.certification.certified_case import CertifiedCase, RegionBounds, certify_case
from rogseg.certification.smoothing import Smoothing
from rogseg.certification.votes import Votes, collect_votes

__all__ = [
    "Certificate",
    "CertifiedCase",
    "Questions",
    "RegionBounds",
    "Smoothing",
    "Votes",
    "certify_case",
    "collect_votes",
    "samples_needed",
    "smallest_rejected_count",
]
