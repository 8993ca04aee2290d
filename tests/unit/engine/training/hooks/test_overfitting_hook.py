import pytest

from rogseg.engine.training.hooks.overfitting_hook import CatastrophicOverfittingMonitor


def test_it_warns_when_one_step_falls_and_several_rise() -> None:
    monitor = CatastrophicOverfittingMonitor(tolerance=0.1)
    looks = [(0.50, 0.60), (0.45, 0.55), (0.40, 0.58), (0.10, 0.62)]
    warnings = [monitor.observe(*look) for look in looks]
    assert warnings[:3] == [None, None, None]  # 0.58 is within a tenth of 0.55
    assert warnings[3] is not None
    assert "from 0.4500 to 0.1000" in warnings[3]
    assert "from 0.5500 to 0.6200" in warnings[3]


def test_ordinary_overfitting_in_which_both_rise_is_not_it() -> None:
    monitor = CatastrophicOverfittingMonitor()
    assert monitor.observe(0.5, 0.6) is None
    assert monitor.observe(0.9, 1.2) is None


def test_a_negative_tolerance_is_refused() -> None:
    with pytest.raises(ValueError, match="tolerance=-1"):
        CatastrophicOverfittingMonitor(-1)
