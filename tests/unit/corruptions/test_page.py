"""The table of docs/corruptions.md is the table of the code."""

from rogseg.corruptions import MODALITIES, NUM_SEVERITIES, Corruption
from rogseg.registry import CORRUPTIONS
from tests.tiny_training import ROOT

CORRUPTIONS.import_from_location()
HEADING = "| corruption | images | parameter | " + " | ".join(map(str, range(1, NUM_SEVERITIES + 1))) + " | source |"


def row_of(name: str) -> str:
    """A line of the table, from the component."""
    corruption: Corruption = CORRUPTIONS.build({"type": name})
    severities = corruption.severities
    applies = [kind for kind in MODALITIES if corruption.reason_against((kind,)) is None]
    images = "all" if applies == list(MODALITIES) else ", ".join(applies) or "several channels"
    unit = f" [{severities.unit}]" if severities.unit else ""
    levels = " | ".join(f"{level:g}" for level in severities.levels)
    return f"| `{name}` | {images} | {severities.parameter}{unit} | {levels} | {severities.source} |"


def table() -> list[str]:
    names = sorted(name for name, cls in CORRUPTIONS.module_dict.items() if cls.__module__.startswith("rogseg."))
    return [HEADING, "|" + " --- |" * (4 + NUM_SEVERITIES), *(row_of(name) for name in names)]


def test_the_page_has_the_table_of_the_code() -> None:
    page = (ROOT / "docs/corruptions.md").read_text().splitlines()
    start = page.index(HEADING)
    assert page[start : start + len(table())] == table()
    assert not page[start + len(table())].startswith("|")
