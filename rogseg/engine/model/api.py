"""The Python side door: load a trained network, predict, or hand it to an attack; no Runner is involved."""

from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config

from rogseg.engine.config.load import load_config
from rogseg.engine.config.takers import takes
from rogseg.engine.config.task import plan_of
from rogseg.engine.device import choose_device
from rogseg.engine.digests import digest_of_file, digest_of_json, own_code
from rogseg.engine.model.compilation import compile_in_place
from rogseg.engine.model.fold_networks import fold_checkpoints
from rogseg.engine.model.model_zoo import zoo_model
from rogseg.engine.model.recorded_plan import common_postprocessing, plan_for_weights, recorded_plan, trained_plan
from rogseg.inference import VolumeLogits
from rogseg.models.checkpoints import assign_weights, read_checkpoint
from rogseg.registry import MODELS
from rogseg.systems import RogsegSystem

__all__ = ["build_model", "config_for_weights", "load_model", "load_zoo_model"]

takes("inference", "model", "compute_device")(VolumeLogits)


def load_model(
    config: str | Path,
    checkpoint: str | Path,
    *,
    device: torch.device | str | None = None,
    task_dir: str | Path | None = None,
    overrides: Sequence[str] = (),
) -> RogsegSystem:
    """Load a trained network.

    Args:
        config: of its training.
        checkpoint: its weights; or the folder that holds the trainings of all folds, whose networks are one ensemble.
        device: cpu or cuda; None takes cuda where there is one.
        task_dir: folder of the stored task, where the config has no plan; without, the plan that the checkpoint was
            trained for is taken.
        overrides: ``key=value`` for keys of the config.

    Raises:
        ValueError: config and checkpoint cannot be read or do not fit; the message says what to do.
    """
    return build_model(config_for_weights(config, checkpoint, overrides, task_dir), checkpoint, device)


def load_zoo_model(name: str, *, device: torch.device | str | None = None) -> RogsegSystem:
    """Load a network of the model zoo by its name, for instance ``rog_standard_hippocampus_light``.

    Raises:
        ValueError: there is none of that name, or its file is damaged.
    """
    entry = zoo_model(name)
    return build_model(config_for_weights(entry.config, entry.checkpoint), entry.checkpoint, device, entry.sha256)


def config_for_weights(
    config: str | Path, checkpoint: str | Path, overrides: Sequence[str] = (), task_dir: str | Path | None = None
) -> Config:
    """Load the config of a network whose weights are there: whoever opens one, by whatever name, comes through here.

    Its plan is its own; else that of the stored task, where one is named; else the one that the weights were trained
    for, where they say so.

    Raises:
        ValueError: config or checkpoint cannot be read, or nothing has a plan.
    """
    plan = trained_plan(checkpoint) if task_dir is None else None
    return load_config(config, list(overrides), task_dir, plan)


def build_model(
    config: Config, checkpoint: str | Path, device: torch.device | str | None = None, digest: str | None = None
) -> RogsegSystem:
    """The same for a config that is loaded; the plan recorded for the checkpoint counts, a known digest is taken.

    An ensemble's logits are the mean over its networks, and what all of them chose to post-process is post-processed.
    """
    place, plan = choose_device(device), plan_of(config)
    folds = fold_checkpoints(checkpoint, plan.name) if Path(checkpoint).is_dir() else {}
    paths = list(folds.values()) or [Path(checkpoint)]
    networks, plans = [], []
    for path in paths:
        content = read_checkpoint(path)
        plans.append(recorded_plan(content, path, plan_for_weights(content, path, plan)))
        network = MODELS.build(config.model)
        assign_weights(network, content["state_dict"], path)
        compile_in_place(network, config.get("compile"))
        networks.append(network)
    digests = [digest or digest_of_file(path) for path in paths]
    options = {"model": digest_of_json(config.model.to_dict()), **own_code(config.model)}
    return RogsegSystem(
        networks,
        common_postprocessing(plans),
        **config.inference,
        device=place,
        name=f"{Path(checkpoint).name}_{len(folds)}_folds" if folds else _name_of(config, Path(checkpoint)),
        digest=digest_of_json(digests) if folds else digests[0],
        options={**options, "folds": list(folds)} if folds else options,
    )


def _name_of(config: Config, checkpoint: Path) -> str:
    """The file's name; that of the config for what a training calls its checkpoints, since all are called so."""
    is_own = checkpoint.stem not in ("best", "last")
    return checkpoint.stem if is_own or config.filename is None else Path(config.filename).stem
