"""The page of the model zoo, made from the index and from records, never typed."""

from collections.abc import Mapping
from pathlib import Path

from rogseg.cases import worded_cases
from rogseg.engine.model.model_zoo import ZooEntry, read_index
from rogseg.evaluation.accuracy_table import accuracy_table
from rogseg.evaluation.comparison import comparison_tables
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.models.checkpoints import checkpoint_lineage

__all__ = ["zoo_page"]

HEAD = """# Model zoo

Written by `rogseg zoo` from `model_zoo/index.json` and the records in `model_zoo/records/`. Accuracy is that
of `rogseg test` on the validation cases of the published fold 0, in the raw grid, without test-time augmentation;
robustness that of `rogseg attack`: means over the cases with their 95% intervals. No checkpoint was
chosen on these cases.
"""


def zoo_page(directory: Path) -> str:
    """Markdown of all entries.

    Args:
        directory: with ``index.json`` and ``records/<name>/``, folders that rogseg test and rogseg attack wrote.

    Raises:
        ValueError: records are of another checkpoint than the index names, or do not compare; weights are damaged.
    """
    path = directory / "index.json"
    if not path.is_file():
        raise ValueError(f"{path}: no such file; name the folder of a model zoo")
    index = read_index(directory, "name the folder of a model zoo")
    for name, entry in index.items():
        if not (directory / entry.file).is_file():
            raise ValueError(f"{path}: {name} needs a file {entry.file} that lies beside it")
    lines = [HEAD]
    for name, entry in index.items():
        lines += [f"## {name}\n", *_card(directory, name, entry), ""]
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
        lines.append(f"\n## Robustness, protocol `{protocol}`, {worded_cases(len(cases))}\n")
        lines += [table.to_markdown() for table in comparison_tables(chosen)]
    return "\n".join(lines).rstrip() + "\n"


def _card(directory: Path, name: str, entry: ZooEntry) -> list[str]:
    """What the network is, what it has seen, and what it must not be taken for."""
    megabytes = (directory / entry.file).stat().st_size / 1e6
    lines = [
        f"- weights: [{entry.file}](model_zoo/{entry.file}), {megabytes:.1f} MB, SHA-256 `{entry.sha256}`",
        f"- config: `{entry.config}`; in Python `load_zoo_model({name!r})`",
    ]
    lineage = checkpoint_lineage(directory / entry.file)
    if lineage is not None:
        plan, start = lineage.task_plan, lineage.start
        grid = " x ".join(f"{step:.3g}" for step in plan.spacing)
        patch = " x ".join(map(str, plan.patch_size))
        lines += [
            f"- task: {plan.name}, classes {', '.join(entry.name for entry in plan.classes)}, channels "
            f"{', '.join(channel.modality for channel in plan.channels)}; grid {grid} mm, patch {patch} voxels",
            f"- split: fold {lineage.fold}, seed {lineage.seed}: fitted to {len(lineage.training)} cases, "
            f"chosen on {len(lineage.selection)}; {len(lineage.validation)} had no part, and are reported on",
            f"- start: {'from scratch' if start is None else f'`{Path(start).stem}`'}",
        ]
    return [
        *lines,
        "- limits: one public data set; nothing is said about other scanners, people or classes; no medical device",
        "- licence: Apache-2.0, trained on data of the Decathlon (CC-BY-SA 4.0)",
    ]


def _check_checkpoints(index: Mapping[str, ZooEntry], folders: Mapping[str, list[RecordFolder]]) -> None:
    wrong = [
        f"{folder.directory} ({folder.identity.system.digest[:8]} instead of {index[name].sha256[:8]})"
        for name, of_one in folders.items()
        for folder in of_one
        if folder.identity.system.digest != index[name].sha256
    ]
    if wrong:
        raise ValueError(
            f"these records are of other checkpoints than the zoo's: {', '.join(wrong)}; make them again with the "
            "zoo's weights, or remove them"
        )
