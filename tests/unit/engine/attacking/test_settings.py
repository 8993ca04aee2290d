import pytest

from rogseg.engine.attacking.settings import AttackSettings
from rogseg.shipped_configs import find_config


def test_an_attack_is_judged_by_dice() -> None:
    config = find_config("apgd_ce", "attack")
    with pytest.raises(ValueError, match="Dice, which is not among them; add"):
        AttackSettings.load(config, ["measures=[dict(type='HD95')]"])
    both = AttackSettings.load(config, ["measures=[dict(type='HD95'), dict(type='Dice')]"])
    assert [measure["type"] for measure in both.measures] == ["HD95", "Dice"]
