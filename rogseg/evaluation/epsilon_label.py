"""Epsilon in words: its unit and, where it is not the largest move of a voxel, its norm."""

from rogseg.evaluation.identity import EvaluationIdentity

__all__ = ["OF_A_WIDTH", "epsilon_label", "epsilon_unit_label", "norm_of_threat", "strength_label"]

# Units that are fractions of a width, and what is said of those that are not of the system's own box.
OF_A_WIDTH = {"fraction": "", "reference": " of the reference box"}
LINF, L2 = "Linf", "L2"
# Of threats whose ball is that of no norm of ours, the class speaks for itself.
_NORMS = {"LinfThreat": LINF, "L2Threat": L2, "LegacyROGThreat": LINF}


def norm_of_threat(threat_type: str) -> str:
    """The norm of a threat's class: ``Linf``, ``L2``, or the name of a class that has its own."""
    return _NORMS.get(threat_type, threat_type.removesuffix("Threat"))


def epsilon_label(epsilon: float, unit: str, norm: str = LINF, raw_unit: str = "raw units") -> str:
    """Epsilon as tables, figures, checks and comparisons print it.

    Args:
        epsilon: the radius.
        unit: ``fraction`` of the box's width, printed in 255ths; ``reference``, the same of the reference box's width;
            ``network`` [network units]; ``raw`` [HU, or scanner units].
        norm: from `norm_of_threat`. An L2 radius is a root mean square over the values that may move, and a number
            that is small in Linf is large there: it is never printed without its norm.
        raw_unit: what a raw unit is, for instance HU.

    Raises:
        ValueError: an unknown unit.
    """
    if unit in OF_A_WIDTH:
        value = f"{epsilon * 255:.4g}/255{OF_A_WIDTH[unit]}"
    else:
        value = f"{epsilon:.3g} {raw_unit if unit == 'raw' else epsilon_unit_label(unit)}"
    if norm == LINF:
        return value
    return f"L2 RMS {value}" if norm == L2 else f"{norm} {value}"


def epsilon_unit_label(unit: str) -> str:
    """The unit of an axis or column.

    Raises:
        ValueError: an unknown unit.
    """
    labels = {
        "fraction": "1/255 of the box",
        "reference": "1/255 of the reference box",
        "network": "network units",
        "raw": "raw units",
    }
    if unit not in labels:
        raise ValueError(f"epsilon has the unit {unit!r}; the units are {', '.join(labels)}")
    return labels[unit]


def strength_label(identity: EvaluationIdentity, strength: float) -> str:
    """A strength of an evaluation: epsilon with its unit and norm, a severity as a number, a certificate's radius."""
    threat = identity.threat
    if identity.kind == "certificate":
        return f"L2 radius {strength:.3g}"
    if threat is None:
        return f"{strength:g}"
    return epsilon_label(strength, threat.unit, norm_of_threat(threat.type), identity.raw_unit)
