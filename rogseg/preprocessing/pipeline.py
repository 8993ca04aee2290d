"""From a raw task folder to a stored task, resumable at any moment."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rogseg.foreign import read_json
from rogseg.preprocessing.case_job import CaseJob, CaseOutcome, check_case, read_measurement, run_case
from rogseg.preprocessing.case_pool import for_each_case
from rogseg.preprocessing.fingerprint import Fingerprint, compute_fingerprint
from rogseg.preprocessing.orientation import most_common_orientation
from rogseg.preprocessing.plan_making import check_plan_fits, is_rescaled, make_plan
from rogseg.preprocessing.plan_wishes import NO_WISHES, PlanWishes
from rogseg.preprocessing.raw_reading import orientations_of
from rogseg.preprocessing.rescaling import WHOLE_RANGE, rescaling_of
from rogseg.preprocessing.source_digest import seen_under_two_names
from rogseg.preprocessing.task_folder import (
    claim_folder,
    clear_folder,
    described_changes,
    kept_plan,
    remember,
    remove_departed,
)
from rogseg.storage import (
    Fold,
    RawCase,
    RawTask,
    StoredTask,
    extend_folds,
    folder_lock,
    make_folds,
    read_folds,
    read_raw_task,
    write_folds,
    write_json_atomic,
    write_plan,
)
from rogseg.task_plan import TaskPlan

__all__ = ["note_lines", "preprocess_task"]

_MOST_NOTES = 10

Say = Callable[[str], object]


def preprocess_task(
    raw_dir: str | Path,
    out_dir: str | Path,
    *,
    num_workers: int = 1,
    plan: TaskPlan | None = None,
    wishes: PlanWishes = NO_WISHES,
    say: Say = print,
) -> StoredTask:
    """Measure a raw task, plan it and store its cases, labelled or not.

    What is stored already is kept where it is undamaged and the content of its files and the plan are the same, so that
    a run that died goes on where it was. ``plan.json`` is written last: a folder that has it is complete. Folds that
    are there stay, and cases that are new join them.

    Fingerprint and plan come from the training cases of fold 0 alone, so what is reported on its validation cases owes
    them nothing.

    Args:
        raw_dir: folder with ``dataset.json``, in the layout of the MSD or of nnU-Net.
        out_dir: where the stored task goes.
        num_workers: number of processes.
        plan: a plan made before; None takes the one that the folder was planned with, and where there is none measures
            the data and makes one.
        wishes: what the plan shall have, whatever the data say.
        say: is told what a person should know.

    Raises:
        ValueError: the task cannot be used, or the folder is not free for it; where cases are bad, the message lists
            all of them.
    """
    raw_task, out_dir = read_raw_task(raw_dir), Path(os.path.abspath(out_dir))
    before = kept_plan(out_dir)
    if plan is None and wishes == NO_WISHES:
        plan = before
    claim_folder(out_dir, raw_task, plan)
    with folder_lock(out_dir, f"preprocessing {raw_task.directory}"):
        claim_folder(out_dir, raw_task, plan)
        clear_folder(out_dir)
        for note in raw_task.notes:
            say(f"note: {note}")
        plan = _stored_cases(raw_task, out_dir, num_workers, plan, wishes, before, say)
        write_plan(out_dir, plan)
        remember(out_dir, raw_task, plan.name, plan, finished=True)
    return StoredTask(out_dir)


def _stored_cases(
    raw_task: RawTask,
    out_dir: Path,
    num_workers: int,
    plan: TaskPlan | None,
    wishes: PlanWishes,
    before: TaskPlan | None,
    say: Say,
) -> TaskPlan:
    kinds = _class_kinds(raw_task)
    name = raw_task.name if plan is None else plan.name
    orientation = None if plan is None else plan.orientation
    if orientation is None:
        orientation = most_common_orientation(orientations_of(raw_task.training or raw_task.test).values())
    if plan is not None:
        check_plan_fits(plan, raw_task, kinds)
        plan = wishes.applied_to(dataclasses.replace(plan, orientation=orientation))
    folds = _folds(out_dir, name, raw_task)
    cases = (*raw_task.training, *raw_task.test)
    remember(out_dir, raw_task, name, plan)
    if plan is None:
        jobs = _jobs(raw_task, raw_task.training, out_dir, orientation, None, wishes.percentiles)
        _run(run_case, jobs, num_workers, "measuring", raw_task.test)
        fingerprint = _fingerprint(raw_task, folds[0], out_dir)
        plan = dataclasses.replace(make_plan(name, fingerprint, raw_task, kinds, wishes), orientation=orientation)
        remember(out_dir, raw_task, name, plan)
        outcomes = _run(run_case, _jobs(raw_task, cases, out_dir, orientation, plan), num_workers, "storing")
    else:
        jobs = _jobs(raw_task, cases, out_dir, orientation, plan)
        outcomes = _run(run_case, jobs, num_workers, "measuring and storing")
        fingerprint = _fingerprint(raw_task, folds[0], out_dir)
    if before is not None and before != plan:
        say(f"the plan in {out_dir} is replaced: {described_changes(before, plan)}")
    for line in note_lines(
        ((outcome.case_id, outcome.notes) for outcome in outcomes), "under notes in the case.json of the cases"
    ):
        say(line)
    for note in seen_under_two_names({outcome.case_id: outcome.image for outcome in outcomes}, folds)[:_MOST_NOTES]:
        say(f"note: {note}")
    remove_departed(out_dir, {case.case_id for case in cases})
    write_json_atomic(out_dir / "fingerprint.json", fingerprint.to_json())
    write_folds(out_dir, folds)
    return plan


def _folds(out_dir: Path, name: str, raw_task: RawTask) -> tuple[Fold, ...]:
    labelled = [case.case_id for case in raw_task.training]
    if not (out_dir / "splits.json").exists():
        return make_folds(name, labelled)
    try:
        return extend_folds(name, read_folds(out_dir), labelled)
    except ValueError as error:
        raise ValueError(f"{out_dir / 'splits.json'}: {error}") from error


def _jobs(
    raw_task: RawTask,
    cases: Sequence[RawCase],
    out_dir: Path,
    orientation: str | None,
    plan: TaskPlan | None,
    percentiles: tuple[float, float] | None = None,
) -> list[CaseJob]:
    if plan is None:
        label_values: tuple[int, ...] = (0, *(value for value in raw_task.labels if value != 0))
        asked = percentiles or WHOLE_RANGE
        rescalings = tuple(asked if is_rescaled(modality) else None for modality in raw_task.modalities)
    else:
        label_values = plan.label_values
        rescalings = tuple(rescaling_of(channel) for channel in plan.channels)
    return [CaseJob(case, out_dir, label_values, rescalings, orientation, plan) for case in cases]


def _run(
    function: Callable[[CaseJob], CaseOutcome],
    jobs: list[CaseJob],
    num_workers: int,
    description: str,
    unseen: Sequence[RawCase] = (),
) -> list[CaseOutcome]:
    outcomes = for_each_case(function, jobs, num_workers, description)
    bad = [outcome for outcome in outcomes if outcome.error is not None]
    if bad and unseen:
        # The run ends here, so the cases of the next step are looked at too: all errors are told at once.
        others = [dataclasses.replace(jobs[0], raw=case, plan=None) for case in unseen]
        checked = for_each_case(check_case, others, num_workers, "checking the rest")
        bad += [outcome for outcome in checked if outcome.error is not None]
    if bad:
        lines = "\n".join(f"  {outcome.case_id}: {outcome.error}" for outcome in bad)
        number = "1 bad case; mend it" if len(bad) == 1 else f"{len(bad)} bad cases; mend them"
        raise ValueError(f"{number} and run again, the others are kept:\n{lines}")
    return outcomes


def note_lines(notes: Iterable[tuple[str, Sequence[str]]], place: str) -> list[str]:
    """What a person is told of the files of cases: a line for each thing, and of many where the others stand.

    Args:
        notes: case id and what is said of the case.
        place: where all of them stand, such as ``in records.jsonl``.
    """
    cases: dict[str, list[str]] = {}
    for case_id, of_case in notes:
        for note in of_case:
            cases.setdefault(note, []).append(case_id)
    lines = [f"note: {_told_of(named)}: {note}" for note, named in cases.items()]
    more = len(lines) - _MOST_NOTES
    return [*lines[:_MOST_NOTES], *([f"note: {more} more of this kind stand {place}"] if more > 0 else [])]


def _told_of(case_ids: Sequence[str]) -> str:
    return case_ids[0] if len(case_ids) == 1 else f"{case_ids[0]} and {len(case_ids) - 1} more"


def _fingerprint(raw_task: RawTask, fold: Fold, out_dir: Path) -> Fingerprint:
    names = [label for value, label in raw_task.labels.items() if value != 0]
    return compute_fingerprint([read_measurement(out_dir, key) for key in fold.train], raw_task.modalities, names)


def _class_kinds(raw_task: RawTask) -> dict[str, str]:
    """The optional key ``class_kinds`` of dataset.json: class name -> organ or lesion."""
    index = raw_task.directory / "dataset.json"
    kinds = read_json(index, "mend or fetch the file again").get("class_kinds", {})
    if not isinstance(kinds, dict) or not set(map(str, kinds.values())) <= {"organ", "lesion"}:
        raise ValueError(f'{index}: class_kinds must map class names to "organ" or "lesion", got {kinds!r}')
    return kinds
