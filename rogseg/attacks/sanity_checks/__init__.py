"""Questions that every evaluation asks about itself before anybody believes its numbers.

Each check says what it saw and what that may mean. A failed check does not stop the evaluation; it ends in the report.
Source: the symptoms of broken evaluations in Carlini et al. 2019 (On evaluating adversarial robustness), the flags of
the reference AutoAttack, and faults that were planted in networks to see which question finds them.
"""

from rogseg.attacks.sanity_checks.attack_checks import (
    check_large_epsilon,
    check_more_budget,
    check_near_clean,
    check_recorded,
    check_square_against_white_box,
    check_transfer,
)
from rogseg.attacks.sanity_checks.run import Effort, run_checks

__all__ = [
    "Effort",
    "check_large_epsilon",
    "check_more_budget",
    "check_near_clean",
    "check_recorded",
    "check_square_against_white_box",
    "check_transfer",
    "run_checks",
]
