"""The page of the model zoo, made from the index and from records, never typed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.evaluation.comparison import comparison_table
from rogseg.evaluation.robustness_report import RobustnessReport

__all__ = ["zoo_page"]

HEAD = """# Model zoo

Written by `python tools/zoo.py` from `model_zoo/index.json` and the records in `model_zoo/records/`. Accuracy is that
of `tools/test.py` on the validation cases of the published fold 0, in the raw grid, without test-time augmentation;
robustness that of `tools/attack.py`: mean Dice with its 95% bootstrap interval over the cases. No choice was made on
these cases.
"""


def zoo_page(directory: Path) -> str:
    """Markdown of all entries.

    Args:
        directory: with ``index.json`` and ``records/<name>/``: ``test/`` of tools/test.py, others of tools/attack.py.

    Raises:
        ValueError: records of one protocol do not compare.
    """
    index: dict[str, dict[str, str]] = json.loads((directory / "index.json").read_text())
    lines = [HEAD, "## Networks\n", "| name | config | size | SHA-256 |", "|---|---|---|---|"]
    for name, entry in index.items():
        megabytes = (directory / entry["file"]).stat().st_size / 1e6
        weights = f"[{name}](model_zoo/{entry['file']})"
        lines.append(f"| {weights} | `{entry['config']}` | {megabytes:.1f} MB | `{entry['sha256'][:16]}...` |")
    lines += ["\n## Accuracy\n", "| name | class | cases | Dice | NSD | HD95 [mm] |", "|---|---|---|---|---|---|"]
    for name in index:
        summary = directory / "records" / name / "test" / "summary.json"
        if summary.is_file():
            lines += [_accuracy_row(name, of, row) for of, row in json.loads(summary.read_text()).items()]
    reports = {
        name: [
            RobustnessReport(path.parent)
            for path in sorted((directory / "records" / name).glob("*/header.json"))
            if path.parent.name != "test"
        ]
        for name in index
    }
    for protocol, cases in sorted({_setting(report) for of_one in reports.values() for report in of_one}):
        chosen = {name: [r for r in of_one if _setting(r) == (protocol, cases)] for name, of_one in reports.items()}
        lines.append(f"\n## Robustness, protocol `{protocol}`, {len(json.loads(cases))} cases\n")
        lines.append(comparison_table({name: of_one for name, of_one in chosen.items() if of_one}))
    return "\n".join(lines).rstrip() + "\n"


def _setting(report: RobustnessReport) -> tuple[str, str]:
    identity = report.header["identity"]
    return identity["protocol"], json.dumps(identity["cases"])


def _accuracy_row(name: str, of: str, row: Mapping[str, Mapping[str, Any]]) -> str:
    cells = [
        f"{row[key]['mean']:.3f} [{row[key]['lower']:.3f}, {row[key]['upper']:.3f}]" for key in ("dice", "nsd", "hd95")
    ]
    return f"| {name} | {of} | {row['dice']['cases']} | " + " | ".join(cells) + " |"
