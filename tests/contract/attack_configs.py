"""How the contract tests build each registered attack: small budgets, and what cannot be said of every attack."""

from dataclasses import dataclass, field
from typing import Any

from rogseg.attacks import Attack, LinfThreat, QuantisationThreat, ThreatModel
from rogseg.registry import ATTACKS

ATTACKS.import_from_location()


@dataclass(frozen=True)
class Contract:
    """What to expect of an attack.

    Args:
        config: its constructor's arguments for a small budget.
        thorough: the same where it has to find the optimum.
        min_classes: fewest classes that it works with.
        black_box: whether it must never call autograd.
        maximal: whether the volume with the highest margin in ball and box is what it looks for.
        minimal_norm: whether the shortest perturbation is what it looks for.
        all_or_nothing: whether a minimal-norm attack hands back the clean volume where it misses the ball.
        threat: the threat model that it works in.
        scale_free: whether logits times a constant must give the same result.
    """

    config: dict[str, Any] = field(default_factory=dict)
    thorough: dict[str, Any] = field(default_factory=dict)
    min_classes: int = 2
    black_box: bool = False
    maximal: bool = True
    minimal_norm: bool = False
    all_or_nothing: bool = False
    threat: type[ThreatModel] = LinfThreat
    scale_free: bool = False


APGD_MEMBER = {"type": "APGD", "num_iterations": 3}
MEMBERS = {"members": {"apgd": APGD_MEMBER, "square": {"type": "Square", "num_queries": 3}}, "mode": "cascade"}
CONTRACTS = {
    "ALMAProx": Contract(
        {"num_iterations": 6, "step_size": 0.03},
        {"num_iterations": 60},
        maximal=False,
        minimal_norm=True,
        scale_free=True,
    ),
    "APGD": Contract({"num_iterations": 6}, {"num_iterations": 20}),
    "AutoAttack": Contract(
        {"num_iterations": 3, "num_queries": 10}, {"num_iterations": 20, "num_queries": 50, "select": "objective"}
    ),
    "Composite": Contract(MEMBERS, {"members": {"apgd": {**APGD_MEMBER, "num_iterations": 20}}}),
    "DAG": Contract({"num_iterations": 6, "gamma": 0.02}, maximal=False, scale_free=True),
    "FAB": Contract(
        {"num_iterations": 4}, {"num_iterations": 20}, maximal=False, minimal_norm=True, all_or_nothing=True
    ),
    "FABDice": Contract(
        {"num_iterations": 4},
        {"num_iterations": 20},
        maximal=False,
        minimal_norm=True,
        all_or_nothing=True,
        scale_free=True,
    ),
    "FGSM": Contract(),
    "LegacyPGD": Contract({"num_iterations": 3, "num_restarts": 2}, {"num_iterations": 20}),
    "LegacyROG": Contract({"num_iterations": 2, "num_restarts": 2}, {"num_iterations": 10, "keep_lowest_dice": False}),
    "PDPGD": Contract({"num_iterations": 4}, {"num_iterations": 60}, maximal=False, minimal_norm=True, scale_free=True),
    "PAdam": Contract({"num_iterations": 4}, {"num_iterations": 40}),
    "PGD": Contract({"num_iterations": 4, "num_restarts": 2}, {"num_iterations": 20}),
    "SEA": Contract({"num_iterations": 3}, maximal=False),
    "SegmentationEnsemble": Contract(
        {"num_iterations": 3}, {"num_iterations": 20, "select": "objective"}, scale_free=True
    ),
    "ShrinkingAPGD": Contract({"num_iterations": 4}, {"num_iterations": 20}),
    "Strongest": Contract({"num_passes": 40}, {"num_passes": 120, "select": "objective"}, scale_free=True),
    "VAFA": Contract({"num_iterations": 4}, maximal=False, threat=QuantisationThreat, scale_free=True),
    "Square": Contract({"num_queries": 40}, {"num_queries": 1500}, black_box=True),
}


# The tests run over the table, so that an attack without an entry fails one test, which says so, and not all of them.
NAMES = sorted(CONTRACTS)


def without_contract() -> list[str]:
    """Attacks of this package that are registered but have no entry in the table."""
    return sorted(
        name
        for name, attack in ATTACKS.module_dict.items()
        if attack.__module__.startswith("rogseg.") and name not in CONTRACTS
    )


def build(name: str, *, thorough: bool = False) -> Attack:
    """The attack of this name with its small or its thorough budget."""
    contract = CONTRACTS[name]
    attack: Attack = ATTACKS.build({"type": name, **(contract.thorough if thorough else contract.config)})
    return attack
