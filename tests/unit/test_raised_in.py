"""Errors of own components are told from those of rogseg, here, in workers and in loading processes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch._utils import ExceptionWrapper

from rogseg.command_line import exit_status
from rogseg.metrics import Dice, build_measures, measure_classes
from rogseg.raised_in import foreign_fault
from rogseg.workers.case_worker import CaseWorker, packed_job, unpacked_answer

MASK = torch.zeros(2, 2, 2, dtype=torch.uint8).numpy()


class RaisingMeasure(Dice):
    name = "raising"

    def __call__(self, prediction: Any, target: Any, spacing: Any) -> float:
        return dict[str, float]()["layer"]


def by_rogseg() -> object:
    """An own measure, called by rogseg."""
    return measure_classes([RaisingMeasure()], MASK, MASK, (1.0, 1.0, 1.0), [[1]])


def raised(job: Callable[[], object]) -> Exception:
    try:
        job()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_an_own_component_is_named_with_the_kind_and_text_of_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("rogseg test", by_rogseg) == 2
    said = capsys.readouterr().err
    assert said.startswith("rogseg test: /")
    assert "test_raised_in.py, line" in said
    assert "KeyError: 'layer'; this file is no part of rogseg" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1


def test_the_way_there_is_shown_on_request(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROGSEG_TRACEBACK", "1")
    assert exit_status("rogseg test", by_rogseg) == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "in measure_classes" in said


def test_a_fault_of_rogseg_stays_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rogseg.metrics.base.np", None)
    with pytest.raises(AttributeError):
        exit_status("rogseg test", by_rogseg)


def test_a_library_is_never_to_blame() -> None:
    assert foreign_fault(raised(lambda: torch.zeros(2) @ torch.zeros(3))) is None
    assert foreign_fault(raised(lambda: build_measures([{"type": "Dise"}]))) is None
    assert foreign_fault(ValueError("never raised")) is None


def function_of_worker(_: Any) -> object:
    return by_rogseg()


def open_worker() -> Callable[[Any], object]:
    return function_of_worker


def test_what_a_worker_met_is_known_by_what_it_sent() -> None:
    answer = CaseWorker(packed_job(open_worker)).answer(packed_job("case"))
    fault = foreign_fault(raised(lambda: unpacked_answer(answer)))
    assert fault is not None
    assert "test_raised_in.py" in fault
    assert fault.endswith("KeyError: 'layer'")


def test_what_a_loading_process_met_is_known_by_its_text() -> None:
    try:
        by_rogseg()
    except KeyError:
        sent = ExceptionWrapper(where="in DataLoader worker process 0")  # type: ignore[no-untyped-call]
    fault = foreign_fault(raised(sent.reraise))
    assert fault is not None
    assert "test_raised_in.py" in fault
    assert fault.endswith("KeyError: 'layer'")
