"""harden_system: fine-tune a trained system under attack and write it back in its own format."""

import dataclasses
import math
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rogseg.engine.case_finding import fold_of
from rogseg.engine.console import make_console
from rogseg.engine.costs.fit_minutes import SHARE_USED
from rogseg.engine.hardening.earlier_run import finished_hardening, looks_of_the_same, refuse_other_settings
from rogseg.engine.hardening.look import Look, LookSettings, first_look, look_at, look_line
from rogseg.engine.hardening.network_training import NetworkTraining, optimisation
from rogseg.engine.hardening.prepared_cases import PreparedCases
from rogseg.engine.hardening.trainee import Trainee
from rogseg.engine.hardening.trainer_choice import build_trainer, trainer_config
from rogseg.engine.model.open_system import OpenedSystem, open_system
from rogseg.engine.task_meaning import refuse_other_meaning
from rogseg.models.hardening_lineage import HardeningLineage, write_hardening
from rogseg.progress import ProgressDisplay
from rogseg.storage import (
    PARTIAL_PREFIX,
    folder_lock,
    foreign_entries,
    read_raw_task,
    remove_leftovers,
    split_for_selection,
)
from rogseg.systems import RogsegSystem, TrainableNetwork

__all__ = ["Hardening", "harden_system", "training_folder"]

SELECTION_FRACTION = 0.1
LOOK_SHARE = 0.1  # of the time, before and again after
SETTINGS, BEFORE, PREPARED = "settings.json", "before.json", "prepared"
NOT_LOOKED_BY = {"minutes", "batch_size"}  # what may be wrong for a training and changes no look before it


@dataclasses.dataclass(frozen=True)
class Hardening:
    """What `harden_system` leaves.

    Args:
        out: folder of the hardened system.
        before: Dice of the cases that were looked at, clean and attacked.
        after: the same of the hardened system.
    """

    out: Path
    before: Look
    after: Look


def training_folder(out: Path) -> Path:
    """Where a hardening keeps what it needs to go on: beside the folder that it will write."""
    return out.with_name(f"{out.name}.training")


def harden_system(
    system: Sequence[str | Path],
    *,
    data: str | Path,
    out: str | Path,
    minutes: float = 60.0,
    trainer: str = "free",
    trainer_options: Sequence[str] = (),
    epsilon: float = 8 / 255,
    learning_rate: float = 1e-3,
    batch_size: int = 2,
    fold: int = 0,
    seed: int = 0,
    device: str | None = None,
    trust: bool = False,
    cfg_options: Sequence[str] = (),
) -> Hardening:
    """Fine-tune every network of a system on the training part of a fold; see ``rogseg harden --help``.

    Where ``out`` holds what the same settings came to on the same cases, nothing is done again.

    Raises:
        ValueError: something in the arguments, the system or the data is wrong; the message says what to do.
        MemoryError: a mini-batch does not fit into memory.
    """
    out = Path(out).absolute()
    finished = finished_hardening(out)
    _refuse_numbers(minutes, batch_size, learning_rate, epsilon, seed)
    chosen = trainer_config(trainer, epsilon, seed, trainer_options)
    build_trainer(chosen)
    opened = open_system(system, device=device, overrides=cfg_options, trust=trust)
    networks, place = _trainable(opened), opened.device
    raw = read_raw_task(data, plain_labels=False)
    refuse_other_meaning(opened.system, raw)
    part = fold_of(raw, fold)
    training, held_out = split_for_selection(part.train, SELECTION_FRACTION, seed, part.added)
    directory = training_folder(out)
    known = {PREPARED, SETTINGS, BEFORE, *(network.name for network in networks)}
    if strangers := foreign_entries(directory, known):
        raise ValueError(f"{directory}: holds files of somebody else, such as {strangers[0]}; name another --out")
    used = [case for case in raw.training if case.case_id in {*training, *held_out}]
    cases = PreparedCases(opened.system, used, raw.name, directory / PREPARED)
    identity, optimiser = opened.system.identity, optimisation(learning_rate, place)
    settings = {
        "trainer": chosen,
        "epsilon": epsilon,
        "minutes": minutes,
        "optimiser": optimiser,
        "batch_size": batch_size,
        "seed": seed,
        "options": dict(identity.options),
    }
    data_digests = {case_id: cases.digest(case_id) for case_id in cases.case_ids}
    asked = {**settings, "fold": fold, "start": identity.digest, "data": data_digests}
    if finished is not None:
        before, after = looks_of_the_same(out, finished, asked)
        cases.remove()
        make_console().print(f"{out}: done before, with the same settings")
        return Hardening(out, before, after)
    with folder_lock(directory, "hardening"):
        begun = any((directory / network.name).exists() for network in networks)
        refuse_other_settings(directory / SETTINGS, asked, set() if begun else NOT_LOOKED_BY)
        for folder in (directory, directory / PREPARED, *(directory / network.name for network in networks)):
            remove_leftovers(folder)
        _rehearse(opened, directory)
        job = NetworkTraining(
            [cases.prepared(training[0])],
            opened.system.window_size,
            opened.system.multiple_of,
            batch_size,
            chosen,
            optimiser,
            place,
            seed,
        )
        target = opened.system
        trainees = [
            Trainee(network.module, target.decide, target.class_indices, target.num_classes) for network in networks
        ]
        for trainee in trainees:
            job.rehearse(trainee)
        console = make_console()
        with ProgressDisplay("cases prepared", console=console) as progress:
            for number, case_id in enumerate(cases.case_ids, start=1):
                cases.prepared(case_id)
                progress.update(number, len(cases.case_ids))
        job = dataclasses.replace(job, cases=[cases.prepared(case_id) for case_id in training]).checked()
        look = LookSettings(epsilon, seed, place)
        begin = time.monotonic()
        before = first_look(directory / BEFORE, opened.system, cases, held_out, LOOK_SHARE * 60 * minutes, look)
        looked = time.monotonic() - begin
        console.print(look_line("before", before))
        seconds = (SHARE_USED * 60 * minutes - 2 * looked) / len(networks)
        for network, trainee in zip(networks, trainees, strict=True):
            job.run(trainee, network.mirror_axes, directory / network.name, seconds)
        partial = _written(opened, out)  # the look after it is at what was written, which may be rounded
        after = look_at(opened.system, cases, list(before), look)
        console.print(look_line("after", after))
        start = opened.lineage
        lineage = HardeningLineage(
            task=raw.name,
            training=training,
            selection=held_out,
            validation=part.validation,
            fold=fold,
            data=data_digests,
            start=(identity.name, identity.digest),
            inherited={} if start is None else start.seen,
            is_start_known=start is not None and start.is_start_known,
            settings=settings,
            looks={"attack": "PGD, 10 steps, one window of each case", "before": before, "after": after},
            versions=dict(identity.versions),
        )
        write_hardening(partial, lineage)
        partial.replace(out)
        cases.remove()
    num_kept = len(part.validation)
    console.print(f"written to {out}; the {num_kept} validation cases of fold {fold} had no part in it: attack those")
    return Hardening(out, before, after)


def _refuse_numbers(minutes: float, batch_size: int, learning_rate: float, epsilon: float, seed: int) -> None:
    if not (0 < minutes < math.inf and 0 < learning_rate < math.inf) or batch_size < 1:
        raise ValueError(
            f"--minutes {minutes:g}, --batch-size {batch_size} and --learning-rate {learning_rate:g} must be above 0 "
            "and finite"
        )
    if not 0 < epsilon <= 1 or seed < 0:
        raise ValueError(f"--epsilon {epsilon:g} must be at most 1, the width of the box; --seed {seed} at least 0")


def _trainable(opened: OpenedSystem) -> tuple[TrainableNetwork, ...]:
    system = opened.system
    if isinstance(system, RogsegSystem):
        raise ValueError(
            f"{system.identity.name} is a network of rogseg, which is trained further by its own command: rogseg train "
            "rog_freeat_short --task STORED_TASK --cfg-options init_from.checkpoint=CHECKPOINT"
        )
    networks = system.trainable
    if not networks:
        raise ValueError(
            f"{system.identity.name}: a system of kind {system.identity.kind!r} gives no access to its weights, or "
            "cannot write them in a format of its own; harden the network that it was made from"
        )
    return networks


def _rehearse(opened: OpenedSystem, directory: Path) -> None:
    """Write the system as it is, since nobody wants to hear after hours that it cannot be written."""
    with tempfile.TemporaryDirectory(prefix=PARTIAL_PREFIX, dir=directory) as folder:
        opened.system.write_back(Path(folder) / "rehearsal")


def _written(opened: OpenedSystem, out: Path) -> Path:
    """Where it was written, beside ``out``: it appears there with its record, which says what it was trained on."""
    partial = out.with_name(f".partial-{out.name}")
    shutil.rmtree(partial, ignore_errors=True)
    opened.system.write_back(partial)
    return partial
