import pytest

from rogseg.evaluation.epsilon_label import epsilon_label, norm_of_threat, strength_label
from tests.identities import identity_with


@pytest.mark.parametrize(
    ("epsilon", "unit", "threat", "label"),
    [
        (8 / 255, "fraction", "LinfThreat", "8/255"),
        (0.5 / 255, "fraction", "LinfThreat", "0.5/255"),
        (8, "fraction", "LinfThreat", "2040/255"),
        (10.0, "raw", "LinfThreat", "10 HU"),
        (8 / 255, "network", "LegacyROGThreat", "0.0314 network units"),
        (1 / 255, "fraction", "L2Threat", "L2 RMS 1/255"),
        (3.0, "raw", "L2Threat", "L2 RMS 3 HU"),
        (8 / 255, "reference", "LinfThreat", "8/255 of the reference box"),
        (4 / 255, "fraction", "FrequencyThreat", "Frequency 4/255"),
    ],
)
def test_epsilon_is_printed_as_what_it_is(epsilon: float, unit: str, threat: str, label: str) -> None:
    assert epsilon_label(epsilon, unit, norm_of_threat(threat), "HU") == label


def test_the_identity_knows_the_unit() -> None:
    assert strength_label(identity_with("threat.unit", "raw"), 12.5) == "12.5 HU"
    assert strength_label(identity_with("threat", None), 3.0) == "3"
    mixed = identity_with("channels", ({"name": "CT", "unit": "HU"}, {"name": "PET", "unit": "SUV"}))
    assert mixed.raw_unit == "raw units"


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'millimetres'.*fraction"):
        epsilon_label(1.0, "millimetres")
