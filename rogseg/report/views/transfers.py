"""Transfers as matrices: what volumes that were made on each network do to each."""

import dataclasses

from rogseg.report.contents import Contents
from rogseg.report.estimates import Estimate
from rogseg.report.rows import Condition, Row
from rogseg.report.summaries import estimate_of

__all__ = ["SETTINGS_DIFFER", "TransferCell", "TransferMatrix", "transfer_matrices"]

NOBODY = "no attack"
SETTINGS_DIFFER = (
    "Volumes were made by other settings of the attack for one cell than for another, so these do not compare."
)


@dataclasses.dataclass(frozen=True)
class TransferCell:
    """The mean of the primary measure, where it comes from, and whether the volumes were made on the network itself."""

    estimate: Estimate
    origin: str
    is_own: bool = False


@dataclasses.dataclass(frozen=True)
class TransferMatrix:
    """One attack at one epsilon.

    Args:
        attack: its name.
        norm: of its threat model.
        label: epsilon as it is written.
        strength: epsilon.
        num_cases: that all of the numbers are over: those that were given the volumes of every cell.
        targets: names of the attacked networks, by column.
        rows: what the volumes were made on, ``no attack`` first, and a cell per column; None where it was not tried.
        settings_differ: whether volumes were made by other settings of the attack for one cell than for another.
    """

    attack: str
    norm: str
    label: str
    strength: float
    num_cases: int
    targets: tuple[str, ...]
    rows: tuple[tuple[str, tuple[TransferCell | None, ...]], ...]
    settings_differ: bool

    @property
    def values(self) -> tuple[tuple[float | None, ...], ...]:
        """The means alone."""
        return tuple(tuple(None if cell is None else cell.estimate.value for cell in cells) for _, cells in self.rows)


def transfer_matrices(contents: Contents) -> tuple[TransferMatrix, ...]:
    """One per attack and epsilon, in the order of the rows; nothing without a transfer."""
    rows = [row for row in contents.rows if row.condition.kind == "transfer"]
    keys = sorted({_key(row.condition) for row in rows})
    return tuple(_matrix(contents, [row for row in rows if _key(row.condition) == key]) for key in keys)


def _key(condition: Condition) -> tuple[str, str, float]:
    return condition.norm, condition.name, condition.strength


def _matrix(contents: Contents, rows: list[Row]) -> TransferMatrix:
    order = [system.name for system in contents.systems]
    shared = set.intersection(*({case.case_id for case in row.cases} for row in rows))
    found = {(row.condition.surrogate, row.system): row for row in rows}
    targets = tuple(name for name in order if any(name == target for _, target in found))
    made_on = {source: order.index(source) if source in order else len(order) for source, _ in found}
    clean = {target: contents.clean_of(row) for (_, target), row in found.items()}
    table = [(NOBODY, tuple(_cell(contents, clean[target], shared, is_own=False) for target in targets))]
    for source in sorted(made_on, key=lambda name: (made_on[name], name)):
        cells = (_cell(contents, found.get((source, target)), shared, is_own=source == target) for target in targets)
        table.append((source, tuple(cells)))
    condition = rows[0].condition
    return TransferMatrix(
        attack=condition.name,
        norm=condition.norm,
        label=condition.label,
        strength=condition.strength,
        num_cases=len(shared),
        targets=targets,
        rows=tuple(table),
        settings_differ=len({row.condition.recipe for row in rows}) > 1,
    )


def _cell(contents: Contents, row: Row | None, case_ids: set[str], *, is_own: bool) -> TransferCell | None:
    if row is None:
        return None
    return TransferCell(estimate_of(row.of_cases(case_ids), contents.primary), row.origin, is_own)
