"""The side of a transfer that volumes are made on: which systems it can be, and the attack on one of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from rich.console import Console

from rogseg.attacks import AttackResult
from rogseg.attacks.sanity_checks import Effort, check_transfer
from rogseg.cases import Case
from rogseg.engine.attacking.robustness import Evaluation, evaluate_robustness
from rogseg.engine.attacking.sanity import of_checks
from rogseg.engine.attacking.save_adversarial import AdversarialFolder
from rogseg.engine.attacking.save_volumes import VolumeWriter
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.attacking.transfer import TransferSetting
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.findings import SanityFinding
from rogseg.progress import ProgressDisplay
from rogseg.registry import ATTACKS
from rogseg.storage import RawTask
from rogseg.systems import RawCases, System

__all__ = ["ATTACK", "differing_boxes", "make_adversaries", "transfer_findings", "why_no_source"]

ATTACK, ADVERSARIAL = "attack", "adversarial"
SAME_WIDTH = 1.01  # ratio of two boxes that count as one
KEPT_VOLUMES = 1  # cases kept for the report's viewer


def why_no_source(system: System, attack: AttackSettings) -> str:
    """Why no volumes can be made on a system, as the end of a sentence; nothing where they can.

    Such a system can still be given those of others.
    """
    if not system.differentiable and ATTACKS.build(dict(attack.attack)).needs_gradient:
        return f"has no gradient, which {attack.name} needs (--attack square only queries)"
    if type(system).raw_adversary is System.raw_adversary:
        return f"is of kind {system.identity.kind!r}, whose volumes are not brought back to files"
    return ""


def make_adversaries(
    source: System, raw: RawTask, setting: TransferSetting, out: Path, leak: str, sanity: Effort, console: Console
) -> tuple[Evaluation, AdversarialFolder]:
    """Attack a system on the cases of a transfer, and write every adversarial volume as a raw file.

    Args:
        source: that is attacked, white-box where the attack is.
        raw: the task that the cases are from.
        setting: of the transfer.
        out: folder of ``attack/``, the records on the source itself, and ``adversarial/``, the volumes.
        leak: what the source had seen of the cases, for the record.
        sanity: effort of the checks.
        console: for progress.

    Raises:
        ValueError: the source cannot be attacked, or brings no volumes back to files.
    """
    cases = RawCases(source, [case for case in raw.training if case.case_id in setting.case_ids], raw.name)
    settings = setting.attack
    made = AdversarialFolder(out / ADVERSARIAL, source, raw, cases.load, settings.name, settings.label_of)
    made.refuse_if_impossible(setting.case_ids[0])
    viewed = VolumeWriter(out / ATTACK, source, settings.name, setting.case_ids[:KEPT_VOLUMES], settings.label_of)

    def on_result(case: Case, radius: float, result: AttackResult) -> None:
        made.write(case, radius, result)
        viewed.write(case, radius, result)

    with ProgressDisplay(f"{settings.name} on {source.identity.name}", console=console) as progress:
        evaluation = evaluate_robustness(
            source,
            cases,
            settings,
            out / ATTACK,
            case_ids=setting.case_ids,
            selection=setting.selection,
            shard=setting.shard,
            seed=setting.seed,
            fold=setting.fold,
            leak=leak,
            reference=setting.reference,
            sanity=sanity,
            on_result=on_result,
            on_progress=progress.update,
            on_checks=of_checks(progress),
        )
    return evaluation, made


def differing_boxes(systems: Sequence[System], raw: RawTask, setting: TransferSetting) -> str:
    """That epsilon is not the same change in raw units on every system, where it is not; else nothing.

    One case tells: a system's box is the window of its plan, or the case's own range.
    """
    if setting.attack.threat["unit"] != "fraction":
        return ""
    case = next(case for case in raw.training if case.case_id == setting.case_ids[0])
    widths = {system.identity.name: system.prepare(case).raw_width for system in systems}
    known = [width for width in widths.values() if width]
    ratios = [max(channel) / min(channel) for channel in zip(*known, strict=True)]
    if max(ratios, default=1.0) <= SAME_WIDTH:
        return ""
    listed = ", ".join(f"{name} {' '.join(f'{width:.4g}' for width in found)}" for name, found in widths.items())
    return (
        f"The same epsilon is another change in raw units on each network, whose intensity ranges differ ({listed} in "
        f"case {case.case_id}): rows do not compare. --reference STORED_TASK makes it the same for all."
    )


def transfer_findings(
    name: str, own: RecordFolder, folders: Mapping[tuple[str, str], RecordFolder]
) -> tuple[SanityFinding, ...]:
    """Whether volumes that were made on another system hurt one more than those that were made on itself.

    Own volumes count as the stronger of what the attack saw and what their files give, which may be weaker.

    Args:
        name: of the system.
        own: records of the attack on it.
        folders: records of every pair, by the names of source and target.
    """
    findings = []
    strength = max(own.strengths())
    attacked = [own.under(condition, strength) for condition in own.conditions()]
    attacked.append(folders[name, name].under(folders[name, name].conditions()[0], strength))
    for (source, target), folder in folders.items():
        if target != name or source == name:
            continue
        transferred = folder.under(folder.conditions()[0], strength)
        pairs = [
            (record.mean_dice, [of_own[case_id].mean_dice for of_own in attacked if case_id in of_own])
            for case_id, record in transferred.items()
        ]
        both = [(dice, min(mine)) for dice, own_dice in pairs if dice is not None and (mine := _known(own_dice))]
        if both:
            finding = check_transfer(*(torch.tensor(values) for values in zip(*both, strict=True)))
            findings.append(_named(finding, source))
    return tuple(findings)


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _named(finding: SanityFinding, source: str) -> SanityFinding:
    return SanityFinding(f"{finding.name}: {source}", finding.level, finding.seen, finding.meaning)
