"""A transfer as a table: how each system fares under volumes that were made on each."""

from collections.abc import Mapping

from rogseg.cases import worded_cases
from rogseg.evaluation.epsilon_label import strength_label
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.statistics import mean_interval
from rogseg.evaluation.summary import mean
from rogseg.evaluation.text_table import TextTable, with_interval

__all__ = ["transfer_tables"]


def transfer_tables(folders: Mapping[tuple[str, str], RecordFolder]) -> tuple[TextTable, ...]:
    """One table per epsilon: a column for each attacked system, a row for each that volumes were made on.

    Args:
        folders: the records of every pair, by the names of source and target.
    """
    sources, targets = (list(dict.fromkeys(names)) for names in zip(*folders, strict=True))
    first = folders[sources[0], targets[0]]
    clean = ["no attack", *(_cell(folders[sources[0], target], None) for target in targets)]
    tables = []
    for strength in first.strengths():
        rows = [[f"made on {one}", *(_cell(folders[one, target], strength) for target in targets)] for one in sources]
        at = f"{first.conditions()[0]} at {strength_label(first.identity, strength)}"
        title = f"Mean Dice [95%] in the grid of the files, {at}, {worded_cases(len(first.identity.cases))}"
        tables.append(TextTable(title, ["volumes", *targets], [clean, *rows]))
    return tuple(tables)


def _cell(folder: RecordFolder, strength: float | None) -> str:
    found = folder.clean() if strength is None else folder.under(folder.conditions()[0], strength)
    values = [value for record in found.values() if (value := record.mean_dice) is not None]
    missing = len(folder.identity.cases) - len(found)
    text = with_interval(mean(values), mean_interval(values, (0.0, 1.0)))
    return f"INCOMPLETE, {missing} cases missing: {text}" if missing else text
