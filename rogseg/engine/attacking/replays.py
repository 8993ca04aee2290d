"""Adversarial volumes, read again by the system that they were made on: do their files do what the attack did?"""

import math
from collections import Counter
from pathlib import Path

from rich.console import Console

from rogseg.engine.attacking.save_adversarial import AdversarialFolder
from rogseg.engine.attacking.transfer import TransferSetting, score_adversaries
from rogseg.engine.case_selection import shard_of
from rogseg.evaluation.case_record import CLEAN, class_mean
from rogseg.evaluation.record_file import HEADER
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.summary import mean
from rogseg.evaluation.text_table import TextTable, number
from rogseg.storage import write_text_atomic

__all__ = ["refuse_without_files", "replay", "replay_table"]

REPLAYED = "replayed"
EXACT = 5e-5  # of Dice; four digits


def refuse_without_files(made: AdversarialFolder, directory: Path) -> None:
    """Refuse to go on with an attack whose volumes were not kept: what is on record is not attacked again.

    Raises:
        ValueError: a case is on record without the files of its adversarial volume.
    """
    if not (directory / HEADER).exists():
        return
    for record in RecordFolder(directory).records:
        if record.condition != CLEAN and not made.has(record.case_id, record.strength):
            raise ValueError(
                f"{directory}: the attack on {record.case_id} is on record and its adversarial volume is no file here, "
                "as after a run without --save-adversarial: leave that out, or give another --out"
            )


def replay(
    made: AdversarialFolder, setting: TransferSetting, directory: Path, leak: str, console: Console
) -> RecordFolder:
    """Score the files on their own system, record it in ``replayed/``, and say how it compares with the attack.

    Raises:
        ValueError: a file was changed since it was written, or cannot be used.
    """
    for epsilon in setting.attack.epsilons:
        made.write_index(epsilon)
    records = score_adversaries(made.system, made, directory / REPLAYED, setting, leak=leak)
    table = replay_table(made, setting, records)
    table.print_to(console)
    write_text_atomic(directory / REPLAYED / "table.md", f"{table.title}\n\n{table.to_markdown()}")
    for epsilon in setting.attack.epsilons:
        console.print(f"adversarial volumes, a raw task: {made.task_directory(epsilon)}", markup=False)
    return records


def replay_table(made: AdversarialFolder, setting: TransferSetting, records: RecordFolder) -> TextTable:
    """Mean Dice as the attack saw it and as the files give it, by epsilon, and why the two differ where they do."""
    rows, reasons, scored = [], Counter[str](), shard_of(setting.case_ids, *setting.shard)
    for epsilon in setting.attack.epsilons:
        known = [made.read(case_id, epsilon)[1] for case_id in scored]
        replayed = records.under(setting.attack.name, epsilon)
        pairs = [(class_mean(one.dice), replayed[one.case_id].mean_dice) for one in known]
        both = [(before, after) for before, after in pairs if before is not None and after is not None]
        differences = [abs(after - before) for before, after in both]
        rows.append(
            [
                setting.attack.label_of(epsilon),
                str(len(known)),
                number(mean(before for before, _ in both), 4),
                number(mean(after for _, after in both), 4),
                number(max(differences, default=math.nan), 4),
                f"{sum(difference < EXACT for difference in differences)} of {len(both)}",
            ]
        )
        reasons.update(note for one in known for note in one.notes)
    headings = ["epsilon", "cases", "Dice in the attack", "Dice from the file", "largest difference", "equal"]
    notes = [
        f"Seen otherwise than attacked, {count} of {len(rows) * len(scored)}: {reason}."
        for reason, count in sorted(reasons.items())
    ]
    return TextTable("Adversarial volumes, read again from their files", headings, rows, notes)
