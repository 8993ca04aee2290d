"""From a raw task folder to a stored task, resumable at any moment."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from rogseg.preprocessing.case_job import CaseJob, CaseOutcome, case_folder, check_case, read_measurement, run_case
from rogseg.preprocessing.case_pool import for_each_case
from rogseg.preprocessing.fingerprint import Fingerprint, compute_fingerprint
from rogseg.preprocessing.plan_making import check_plan_fits, is_rescaled, make_plan
from rogseg.storage import (
    Fold,
    RawCase,
    RawTask,
    StoredTask,
    make_folds,
    read_raw_task,
    remove_leftovers,
    write_folds,
    write_json_atomic,
    write_plan,
)
from rogseg.task_plan import TaskPlan

__all__ = ["preprocess_task"]


def preprocess_task(
    raw_dir: str | Path, out_dir: str | Path, *, num_workers: int = 1, plan: TaskPlan | None = None
) -> StoredTask:
    """Measure a raw task, plan it and store its cases, labelled or not.

    What is stored already is kept where the content of its files and the plan are the same, so that a run that died
    goes on where it was. ``plan.json`` is written last: a folder that has it is complete.

    Fingerprint and plan come from the training cases of fold 0 alone, so what is reported on its validation cases owes
    them nothing.

    Args:
        raw_dir: folder with ``dataset.json``, in the layout of the MSD or of nnU-Net.
        out_dir: where the stored task goes.
        num_workers: number of processes.
        plan: a plan made before; None measures the data and makes one.

    Raises:
        ValueError: the task cannot be used; where cases are bad, the message lists all of them.
    """
    raw_task, out_dir = read_raw_task(raw_dir), Path(out_dir).absolute()
    if plan is not None:
        check_plan_fits(plan, raw_task)
    name = raw_task.name if plan is None else plan.name
    cases = (*raw_task.training, *raw_task.test)
    folds = make_folds(name, [case.case_id for case in raw_task.training])
    for folder in (out_dir, out_dir / "cases", out_dir / "measurements"):
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)

    if plan is None:
        _run(run_case, _jobs(raw_task, raw_task.training, out_dir, None), num_workers, "measuring", raw_task.test)
        fingerprint = _fingerprint(raw_task, folds[0], out_dir)
        plan = make_plan(name, fingerprint, raw_task, _class_kinds(raw_task))
        _run(run_case, _jobs(raw_task, cases, out_dir, plan), num_workers, "storing")
    else:
        _run(run_case, _jobs(raw_task, cases, out_dir, plan), num_workers, "measuring and storing")
        fingerprint = _fingerprint(raw_task, folds[0], out_dir)
    _remove_strangers(out_dir, cases)
    write_json_atomic(out_dir / "fingerprint.json", fingerprint.to_json())
    write_folds(out_dir, folds)
    write_plan(out_dir, plan)
    return StoredTask(out_dir)


def _jobs(raw_task: RawTask, cases: Sequence[RawCase], out_dir: Path, plan: TaskPlan | None) -> list[CaseJob]:
    if plan is None:
        label_values: tuple[int, ...] = (0, *(value for value in raw_task.labels if value != 0))
        rescaled = tuple(is_rescaled(modality) for modality in raw_task.modalities)
    else:
        label_values = plan.label_values
        rescaled = tuple(channel.rescale for channel in plan.channels)
    return [CaseJob(case, out_dir, label_values, rescaled, plan) for case in cases]


def _run(
    function: Callable[[CaseJob], CaseOutcome],
    jobs: list[CaseJob],
    num_workers: int,
    description: str,
    unseen: Sequence[RawCase] = (),
) -> None:
    outcomes = for_each_case(function, jobs, num_workers, description)
    bad = [outcome for outcome in outcomes if outcome.error is not None]
    if bad and unseen:
        # The run ends here, so the cases of the next step are looked at too: all errors are told at once.
        first = jobs[0]
        others = [CaseJob(case, first.out_dir, first.label_values, first.rescaled, None) for case in unseen]
        checked = for_each_case(check_case, others, num_workers, "checking the rest")
        bad += [outcome for outcome in checked if outcome.error is not None]
    if bad:
        lines = "\n".join(f"  {outcome.case_id}: {outcome.error}" for outcome in bad)
        raise ValueError(f"{len(bad)} bad cases; mend them and run again, the others are kept:\n{lines}")


def _fingerprint(raw_task: RawTask, fold: Fold, out_dir: Path) -> Fingerprint:
    names = [label for value, label in raw_task.labels.items() if value != 0]
    return compute_fingerprint([read_measurement(out_dir, key) for key in fold.train], raw_task.modalities, names)


def _class_kinds(raw_task: RawTask) -> dict[str, str]:
    """The optional key ``class_kinds`` of dataset.json: class name -> organ or lesion."""
    index = raw_task.directory / "dataset.json"
    kinds = json.loads(index.read_text(encoding="utf-8-sig")).get("class_kinds", {})
    if not isinstance(kinds, dict) or not set(map(str, kinds.values())) <= {"organ", "lesion"}:
        raise ValueError(f'{index}: class_kinds must map class names to "organ" or "lesion", got {kinds!r}')
    return kinds


def _remove_strangers(out_dir: Path, cases: Sequence[RawCase]) -> None:
    """Drop what is stored of cases that the raw task no longer has."""
    known = {case.case_id for case in cases}
    for path in (out_dir / "cases").iterdir():
        if path.name not in known:
            shutil.rmtree(case_folder(out_dir, path.name))
    for path in (out_dir / "measurements").iterdir():
        if path.stem not in known:
            path.unlink()
