"""The tables of certificates: what is certain by sigma and tau, and the bounds of each class's Dice and volume."""

from collections.abc import Iterable, Sequence

from rogseg.certification import CertifiedCase
from rogseg.evaluation.case_record import class_mean
from rogseg.evaluation.notes import notes_on
from rogseg.evaluation.proved_bounds import (
    radius_text,
    rounded_down,
    rounded_up,
    significant_down,
    significant_up,
)
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.statistics import mean_interval
from rogseg.evaluation.summary import ConditionSummary, mean, summarise_all
from rogseg.evaluation.text_table import NOTHING, TextTable, number, short, short_span, with_interval

__all__ = ["certificate_tables", "noise_words"]


def noise_words(certified: Sequence[CertifiedCase], raw_unit: str) -> str:
    """Noise and radius in raw units; empty where they are not known."""
    noise = _raw([one.sigma_raw for one in certified], raw_unit).strip(" ()")
    radius = _raw(_radii_raw(certified), raw_unit).strip(" ()")
    return f"noise {noise}, radius {radius} RMS" if noise and radius else ""


def _rms_words(certified: Sequence[CertifiedCase], raw_unit: str) -> str:
    """The radius in the unit of an L2 attack's epsilon, and in raw units; cases of other sizes have another one."""
    values = sorted(255 * one.radius_rms for one in certified)
    low, high = radius_text(values[0], 2), radius_text(values[-1], 2)
    share = f"{low}/255" if low == high else f"{low} to {high}/255"
    return share + _raw(_radii_raw(certified), raw_unit)


def certificate_tables(folder: RecordFolder, title: str) -> tuple[TextTable, ...]:
    """All classes together, and class by class; with the notes that a reader needs."""
    rows = [row for row in summarise_all(folder) if _certified(row)]
    return _whole_table(rows, folder, title), _class_table(rows, folder)


def _whole_table(rows: Sequence[ConditionSummary], folder: RecordFolder, title: str) -> TextTable:
    unit, cells = folder.identity.raw_unit, []
    for row in rows:
        certified = _certified(row)
        first, num_cases = certified[0], len(certified)
        smoothed = [class_mean([b.dice_smoothed for b in one.classes.values()]) for one in certified]
        highest = [class_mean([b.dice_upper for b in one.classes.values()]) for one in certified]
        dice = list(row.dice.values())
        cells.append(
            [
                f"{first.sigma:g}{_raw([one.sigma_raw for one in certified], unit)}",
                f"{first.tau:g}",
                radius_text(first.radius, 3),
                _rms_words(certified, unit),
                f"{num_cases} of {num_cases + row.num_missing}" if row.num_missing else str(num_cases),
                number(_mean(smoothed)),
                with_interval(rounded_down(row.mean_dice, 3), mean_interval(dice, (0.0, 1.0))),
                number(rounded_up(_mean(highest), 3)),
                number(_mean([one.accuracy for one in certified])),
                number(_mean([one.abstained for one in certified])),
            ]
        )
    headings = [
        "sigma",
        "tau",
        "L2 radius",
        "its RMS",
        "cases",
        "smoothed Dice",
        "Dice at least [95%]",
        "Dice at most",
        "voxels certified right",
        "voxels abstained",
    ]
    return TextTable(title, headings, cells)


def _class_table(rows: Sequence[ConditionSummary], folder: RecordFolder) -> TextTable:
    cells = []
    for row in rows:
        certified = _certified(row)
        for name in (*certified[0].classes, *certified[0].groups):
            regions = [{**one.classes, **one.groups}[name] for one in certified]
            volumes = [
                _mean([b.volume_target for b in regions]),
                _mean([b.volume_smoothed for b in regions]),
            ]
            least, most = _mean([b.volume_lower for b in regions]), _mean([b.volume_upper for b in regions])
            volumes.append(None if least is None else significant_down(least, 4))
            volumes.append(None if most is None else significant_up(most, 4))
            cells.append(
                [
                    name,
                    f"{certified[0].sigma:g}",
                    f"{certified[0].tau:g}",
                    number(rounded_down(_mean([b.dice_lower for b in regions]), 3)),
                    number(rounded_up(_mean([b.dice_upper for b in regions]), 3)),
                    number(_mean([b.certified for b in regions])),
                    number(_mean([b.abstained for b in regions])),
                    *(NOTHING if volume is None else short(volume) for volume in volumes),
                ]
            )
    condition = folder.identity.condition
    assert condition is not None, "only certificates come here"
    notes = (
        "Certified is the smoothed network, the majority over noisy copies of a volume, not the network itself.",
        f"With probability {1 - condition.config['alpha']:g} no bound of a case at one sigma and tau is wrong; over "
        "several of them the chances of an error add up.",
        *notes_on(folder),
    )
    headings = [
        "class",
        "sigma",
        "tau",
        "Dice at least",
        "Dice at most",
        "target certified",
        "target abstained",
        "target [ml]",
        "smoothed [ml]",
        "at least [ml]",
        "at most [ml]",
    ]
    return TextTable("By class, for every perturbation within the radius", headings, cells, notes)


def _certified(row: ConditionSummary) -> tuple[CertifiedCase, ...]:
    return tuple(record.certificate for record in row.records.values() if record.certificate is not None)


def _mean(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return mean(present) if present else None


def _radii_raw(certified: Sequence[CertifiedCase]) -> list[tuple[float, ...]]:
    return [tuple(significant_down(radius, 4) for radius in one.radius_rms_raw) for one in certified]


def _raw(values: Sequence[tuple[float, ...]], unit: str) -> str:
    """``(25 HU)``, of each channel, from the least to the most over cases; empty where it is not known."""
    known = [of_case for of_case in values if of_case]
    if not known:
        return ""
    spans = [short_span(column) for column in zip(*known, strict=True)]
    return f" ({', '.join(dict.fromkeys(spans))} {unit})"
