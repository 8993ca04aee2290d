"""The one way to name a system: a zoo name, a config with its checkpoint, a folder, or a config of a system."""

import dataclasses
import difflib
import inspect
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from rogseg.engine.config.check import signature_of
from rogseg.engine.config.keys import ConfigKeyError, nearest
from rogseg.engine.config.load import load_system_config, parse_overrides, refuse_others
from rogseg.engine.config.overrides import CFG_OPTIONS
from rogseg.engine.config.read import is_json
from rogseg.engine.config.task import plan_of
from rogseg.engine.config.values import problem_of
from rogseg.engine.device import choose_device, keep_freed_memory, system_device
from rogseg.engine.model.api import build_model, config_for_weights
from rogseg.engine.model.fold_networks import fold_checkpoints, united_lineage
from rogseg.engine.model.model_zoo import zoo_models
from rogseg.evaluation.identity import HELD_OUT, NOT_KNOWN
from rogseg.models.checkpoints import checkpoint_lineage
from rogseg.models.hardening_lineage import HardeningLineage, read_hardening
from rogseg.models.lineage import Lineage
from rogseg.registry import SYSTEMS
from rogseg.shipped_configs import shipped_configs
from rogseg.systems import System

__all__ = ["OpenedSystem", "leak_of", "open_system"]


@dataclasses.dataclass(frozen=True)
class OpenedSystem:
    """A system, and the config that it was opened from, where it is one that says where its data are.

    Args:
        system: the system.
        config: of a rogseg network: data_root, stored_root, fold. None of every other system, and of no other.
        lineage: what its weights were trained and selected on; None where nothing says so.
        measures: configs of the METRICS registry that its config asks for; None takes the default ones.
    """

    system: System
    config: Config | None
    lineage: Lineage | HardeningLineage | None = None
    measures: Sequence[Mapping[str, Any]] | None = None

    @property
    def device(self) -> torch.device:
        """What its network runs on."""
        return system_device(self.system)

    @property
    def raw_folder(self) -> Path | None:
        """Where the raw task of a rogseg network lies, by its config; None of every other system."""
        return None if self.config is None else Path(self.config.data_root) / plan_of(self.config).name


def open_system(
    names: Sequence[str | Path],
    *,
    device: str | None = None,
    task_dir: str | Path | None = None,
    overrides: Sequence[str] = (),
    trust: bool = False,
) -> OpenedSystem:
    """Open a system by what a person calls it.

    Args:
        names: one of: a name of the model zoo; a config and its checkpoint, or the folder of the trainings of all
            folds; a folder of another framework, recognised by what is in it; a Python config with
            ``system = dict(type=...)``.
        device: cpu or cuda; None takes what a Python config says, else cuda where there is one.
        task_dir: folder of the stored task, where the config of a rogseg network has no plan; without, the plan that
            its checkpoint was trained for is taken.
        overrides: ``key=value`` for keys of the config, or for arguments of the folder's system.
        trust: whether whoever made a bundle or an exported program may run code here.

    Returns:
        The system, which says what device it is on. On a CPU the process keeps freed memory, see `keep_freed_memory`.

    Raises:
        ValueError: nothing of that name is known, or it cannot be opened; the message says what to do.
    """
    opened = _open(names, device, task_dir, overrides, trust)
    if opened.device.type == "cpu":
        keep_freed_memory()
    return opened


def _open(
    names: Sequence[str | Path],
    device: str | None,
    task_dir: str | Path | None,
    overrides: Sequence[str],
    trust: bool,
) -> OpenedSystem:
    if not 1 <= len(names) <= 2:
        raise ValueError(f"a system is named by one or two words, got {len(names)}: {' '.join(map(str, names))}")
    first = str(names[0])
    if len(names) == 2:
        config = config_for_weights(first, names[1], overrides, task_dir)
        return _of_rogseg(config, names[1], device, _lineage(names[1], config))
    if Path(first).is_dir():
        return _opened(_open_folder(Path(first), device, overrides, trust))
    if Path(first).suffix == ".py" and Path(first).is_file():
        config = load_system_config(first, list(overrides), task_dir)
        opened = _opened(_build(config.system.to_dict(), device or config.get("device"), trust))
        return dataclasses.replace(opened, measures=config.get("measures"))
    known = zoo_models()
    if first not in known:
        raise _unknown(first, known)
    entry = known[first].verified()
    config = config_for_weights(entry.config, entry.checkpoint, overrides, task_dir)
    return _of_rogseg(config, entry.checkpoint, device, checkpoint_lineage(entry.checkpoint), entry.sha256)


def _unknown(name: str, zoo: Collection[str]) -> ValueError:
    """What a word alone lacks that is neither a folder nor a network of the model zoo."""
    configs, path = shipped_configs("network"), Path(name)
    if name in configs or (path.is_file() and is_json(path)):
        made = f"work_dirs/{path.stem}/TASK_foldN/best.pth"
        return ValueError(
            f"{name} is a config, which says nothing of weights: name its checkpoint behind it, as rogseg train writes "
            f"it ({made}), or take a network of the model zoo by its name alone: {', '.join(sorted(zoo))}"
        )
    if path.is_file():
        return ValueError(f"{name} is a file and no config: if it holds weights, name their config before it")
    if name in shipped_configs():
        return ValueError(f"{name} is the config of no network, so there is no system of that name")
    near = difflib.get_close_matches(name, [*zoo, *configs], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(zoo))}"
    return ValueError(f"{name!r} is no folder, no file and no network of the model zoo: {hint}")


def _of_rogseg(
    config: Config, checkpoint: str | Path, device: str | None, lineage: Lineage | None, digest: str | None = None
) -> OpenedSystem:
    system = build_model(config, checkpoint, device or config.get("device"), digest)
    return OpenedSystem(system, config, lineage, config.get("measures"))


def _lineage(checkpoint: str | Path, config: Config) -> Lineage | None:
    if not Path(checkpoint).is_dir():
        return checkpoint_lineage(checkpoint)
    folds = fold_checkpoints(checkpoint, plan_of(config).name)
    return united_lineage([checkpoint_lineage(path) for path in folds.values()])


def _opened(system: System) -> OpenedSystem:
    """A system of another framework: what it was hardened on stands in the folder that it was read from."""
    location = system.location
    return OpenedSystem(system, None, None if location is None else read_hardening(location, system.weights_file))


def _open_folder(folder: Path, device: str | None, overrides: Sequence[str], trust: bool) -> System:
    SYSTEMS.import_from_location()
    found = [cls for cls in SYSTEMS.module_dict.values() if getattr(cls, "recognises", lambda _: False)(folder)]
    if not found:
        kinds = sorted(cls.__name__ for cls in SYSTEMS.module_dict.values() if hasattr(cls, "recognises"))
        raise ValueError(
            f"{folder}: not a folder that any of {', '.join(kinds)} knows; of nnU-Net name the folder that holds "
            "plans.json, of a bundle the one that holds configs/inference.json"
        )
    name, wishes, (annotations, _, _) = found[0].__name__, parse_overrides(overrides), signature_of(found[0])
    refuse_others(wishes, set(annotations) - {"folder"}, f"on {folder}, which is opened as {name}", CFG_OPTIONS)
    for key, value in wishes.items():
        whole = "lies inside an argument, which is given as a whole alone"
        if problem := problem_of(key, value, annotations[key]) if key in annotations else whole:
            raise ConfigKeyError(key, problem, CFG_OPTIONS)
    return _build({"type": name, "folder": str(folder), **wishes}, device, trust)


def _build(config: dict[str, Any], device: str | None, trust: bool) -> System:
    cls = SYSTEMS.get(config["type"])
    if cls is None:
        raise ValueError(f"system.type is {config['type']!r}: {nearest(str(config['type']), SYSTEMS.module_dict)}")
    place = choose_device(device or config.get("device"))
    if "device" in inspect.signature(cls).parameters:
        config["device"] = str(place)
    if trust and "trust" in inspect.signature(cls).parameters:
        config["trust"] = True
    try:
        system: System = SYSTEMS.build(config)
    except TypeError as error:
        raise ValueError(f"system {config['type']}: {error}") from error
    if system.device is None:
        system.device = place
    return system


def leak_of(opened: OpenedSystem, case_ids: Sequence[str], task: str, *, allow_seen: bool) -> str:
    """What the system had seen of some cases, in words, for the record.

    Args:
        opened: the system; one that does not say what it was trained on is ``not known``.
        case_ids: to be reported on.
        task: that they belong to.
        allow_seen: whether cases that it was trained or selected on may be reported on, labelled so.

    Raises:
        ValueError: the system was trained or selected on cases, and nobody asked for that.
    """
    if opened.lineage is None:
        return NOT_KNOWN
    seen = opened.lineage.seen_of(case_ids, task)
    alike = opened.lineage.seen_names(case_ids)
    if alike and not seen:
        # A copy of the task under another name, or another task whose cases have the same names: nobody knows.
        return f"{NOT_KNOWN}, {len(alike)} of {len(case_ids)} cases are called as some of a task that it has seen"
    if not seen:
        return HELD_OUT if opened.lineage.is_start_known else "not known of the network that it started from"
    if not allow_seen:
        listed = ", ".join(seen[:5]) + (", ..." if len(seen) > 5 else "")
        raise ValueError(
            f"{opened.system.identity.name} was trained or selected on {len(seen)} of these {len(case_ids)} cases "
            f"({listed}), so numbers on them say nothing of new cases: take cases of the validation part of its fold, "
            "or pass --allow-seen to report on them, labelled so"
        )
    return f"trained or selected on {len(seen)} of {len(case_ids)} cases"
