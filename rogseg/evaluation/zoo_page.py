"""The page of the model zoo, made from the index and from records, never typed."""

import json
from collections.abc import Mapping
from pathlib import Path

from rogseg.evaluation.accuracy_table import accuracy_table
from rogseg.evaluation.comparison import comparison_tables
from rogseg.evaluation.record_folder import RecordFolder

__all__ = ["zoo_page"]

HEAD = """# Model zoo

Written by `python tools/zoo.py` from `model_zoo/index.json` and the records in `model_zoo/records/`. Accuracy is that
of `tools/test.py` on the validation cases of the published fold 0, in the raw grid, without test-time augmentation;
robustness that of `tools/attack.py`: means over the cases with their 95% intervals. No choice was made on these cases.
"""


def zoo_page(directory: Path) -> str:
    """Markdown of all entries.

    Args:
        directory: with ``index.json`` and ``records/<name>/``, folders that tools/test.py and tools/attack.py wrote.

    Raises:
        ValueError: records are of another checkpoint than the index names, or do not compare.
    """
    index: dict[str, dict[str, str]] = json.loads((directory / "index.json").read_text())
    lines = [HEAD, "## Networks\n", "| name | config | size | SHA-256 |", "|---|---|---|---|"]
    for name, entry in index.items():
        megabytes = (directory / entry["file"]).stat().st_size / 1e6
        weights = f"[{name}](model_zoo/{entry['file']})"
        lines.append(f"| {weights} | `{entry['config']}` | {megabytes:.1f} MB | `{entry['sha256'][:16]}...` |")
    folders = {
        name: [RecordFolder(path.parent) for path in sorted((directory / "records" / name).glob("*/header.json"))]
        for name in index
    }
    _check_checkpoints(index, folders)
    attacked: dict[tuple[str, tuple[str, ...]], dict[str, list[RecordFolder]]] = {}
    for name, of_one in folders.items():
        for folder in of_one:
            identity = folder.identity
            if identity.condition is None:
                lines.append(f"\n## Accuracy of {name}, protocol `{identity.protocol}`\n")
                lines.append(accuracy_table(folder, "").to_markdown())
            else:
                attacked.setdefault((identity.protocol, identity.cases), {}).setdefault(name, []).append(folder)
    for (protocol, cases), chosen in sorted(attacked.items()):
        lines.append(f"\n## Robustness, protocol `{protocol}`, {len(cases)} cases\n")
        lines += [table.to_markdown() for table in comparison_tables(chosen)]
    return "\n".join(lines).rstrip() + "\n"


def _check_checkpoints(index: Mapping[str, Mapping[str, str]], folders: Mapping[str, list[RecordFolder]]) -> None:
    wrong = [
        f"{folder.directory} ({folder.identity.system.digest[:8]} instead of {index[name]['sha256'][:8]})"
        for name, of_one in folders.items()
        for folder in of_one
        if folder.identity.system.digest != index[name]["sha256"]
    ]
    if wrong:
        raise ValueError(
            f"these records are of other checkpoints than the zoo's: {', '.join(wrong)}; make them again with the "
            "zoo's weights, or remove them"
        )
