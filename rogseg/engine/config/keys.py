"""Every top-level key that a config may have, and how a misspelt one is answered."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rogseg.command_line import nearest

__all__ = ["TOP_LEVEL_KEYS", "TYPE_OF_KEY", "ConfigKeyError", "nearest"]

TOP_LEVEL_KEYS: dict[str, str] = {
    "task": "the task plan (a JSON base, or --task)",
    "model": "component of the MODELS registry",
    "trainer": "component of the TRAINERS registry",
    "train_data": "the training patches: batch_size, num_workers, prefetch_factor, pin_memory, dataset",
    "train_cfg": "the training loop",
    "validation": "what is measured on the cases that select the checkpoint; None for nothing",
    "inference": "window_size, overlap, window_batch, dtype and cuda_graphs of whole-volume inference",
    "optim_wrapper": "optimizer, precision, gradient accumulation and clipping",
    "param_scheduler": "learning-rate schedulers; None for none",
    "plateau": "PlateauHook: the learning rate falls with the validation loss; None for no such schedule",
    "default_hooks": "hooks by name",
    "custom_hooks": "further hooks",
    "visualizer": "where scalars are written; add dict(type='TensorboardVisBackend') for TensorBoard",
    "env_cfg": "cudnn_benchmark and multi-processing",
    "log_level": "of MMEngine's logger",
    "default_scope": "always 'rogseg'",
    "data_root": "folder of the raw tasks",
    "stored_root": "folder of the preprocessed tasks",
    "fold": "fold of the cross-validation",
    "selection_fraction": "share of the training cases that select the checkpoint instead of being trained on",
    "seed": "of all randomness",
    "device": "cpu or cuda; None takes cuda where there is one",
    "launcher": "'none' or 'pytorch'",
    "compile": "arguments of torch.compile for the network, e.g. dict(mode='max-autotune'); None runs it as it is",
    "work_dir": "where checkpoints and curves go; None is work_dirs/<config>",
    "load_from": "checkpoint to start from",
    "resume": "whether to go on from the work directory's last checkpoint",
    "overwrite": "whether to start again in a work directory that holds a training, which is lost",
    "allow": "names of settings that may differ from those of the training that is resumed",
    "init_from": "where an adversarial training starts from: checkpoint, work_dir, zoo, stage",
    "custom_imports": "packages of your own to import, which register components; in Python configs only",
    "attack": "component of the ATTACKS registry",
    "criterion": "component of the CRITERIA registry; None is a mean Dice under half of the mean clean Dice",
    "threat": "type; unit of its epsilon: fraction, network, raw or reference; what moves: all or tissue",
    "epsilons": "radii of the attack, in that unit",
    "measures": "components of the METRICS registry that are taken of every prediction",
    "system": "component of the SYSTEMS registry: what is evaluated where it is no network of this project",
}


class ConfigKeyError(ValueError):
    """What stands under a key of a config is not what it must be.

    Args:
        key: its path, with dots, and brackets around the number of an entry of a list.
        problem: the end of a sentence that begins with the key; or, behind a colon, a sentence of its own.
        place: the file or the option that it was given in, as far as that is known.
    """

    def __init__(self, key: str, problem: str, place: str | None = None) -> None:
        super().__init__(key, problem, place)  # so that it comes out of another process as it went in
        self.key, self.problem, self.place = key, problem, place

    def __str__(self) -> str:
        told = f"{self.key}{'' if self.problem.startswith(':') else ' '}{self.problem}"
        return told if self.place is None else f"{self.place}: {told}"


Component = Mapping[str, Any]
# What a value must be before anybody looks into it; the ranges of numbers are those of their names.
TYPE_OF_KEY: dict[str, Any] = {
    **dict.fromkeys(("task", "model", "trainer", "train_data", "train_cfg", "inference"), Component),
    **dict.fromkeys(("optim_wrapper", "default_hooks", "env_cfg", "attack", "threat", "system"), Component),
    **dict.fromkeys(("validation", "plateau", "visualizer", "compile", "init_from", "criterion"), Component | None),
    "param_scheduler": Component | Sequence[Component] | None,
    "custom_hooks": Sequence[Component],
    "custom_imports": Component | Sequence[str] | str,
    "log_level": Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    "default_scope": Literal["rogseg"],
    "launcher": Literal["none", "pytorch"],
    **dict.fromkeys(("data_root", "stored_root"), Path),
    **dict.fromkeys(("work_dir", "load_from"), Path | None),
    **dict.fromkeys(("fold", "seed"), int),
    "selection_fraction": float,
    "device": str | None,
    **dict.fromkeys(("resume", "overwrite"), bool),
    "allow": Sequence[str],
    "epsilons": Sequence[float],
    "measures": Sequence[Component] | None,
}
