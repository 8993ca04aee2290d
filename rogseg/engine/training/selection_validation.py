"""SelectionValidation: what chooses the checkpoint, measured on cases that are neither trained nor reported on."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
import torch.distributed
from mmengine.optim import OptimWrapper
from torch import nn

from rogseg.attacks import Attack, LinfThreat, ThreatModel
from rogseg.cases import Batch
from rogseg.datasets import PatchDataset, VolumeDataset
from rogseg.engine.case_selection import spread
from rogseg.engine.config.takers import takes
from rogseg.engine.training.robust_look import robust_look
from rogseg.inference import VolumeLogits
from rogseg.metrics import dice_per_class, mean_foreground_dice
from rogseg.registry import ATTACKS
from rogseg.systems import crop_case, foreground_window, stored_case
from rogseg.task_plan import TaskPlan
from rogseg.trainers import total_loss

__all__ = ["SelectionValidation"]

Monitor = Literal["dice", "robust_dice", "mean"]


@takes("validation", "stored_task_dir", "case_ids", "plan", "inference", "threat", "num_replays", "seed")
class SelectionValidation:
    """Mean loss of fixed patches, mean Dice of whole volumes and, if asked for, mean Dice under an attack.

    Args:
        stored_task_dir: folder of the stored task.
        case_ids: the cases held out of the training part.
        plan: of the task.
        inference: arguments of `VolumeLogits` for whole volumes.
        interval: epochs between two validations.
        max_volumes: cases for Dice, spread over the set; 0 for the loss only, None for all.
        volume_interval: epochs between two measurements of Dice, a multiple of `interval`.
        max_patches: patches for the loss, one per case; None for all cases.
        attack: config of the ATTACKS registry; it attacks whenever Dice is measured. None: clean Dice only.
        epsilon: radius of the attack as a fraction of the box's width; a config that says none has the trainer's.
        threat: norm of the attack, that of the trainer.
        max_attacked: cases that are attacked, of those that have foreground, each in one window around it.
        monitor: what the best checkpoint has most of: clean Dice, Dice under the attack, or the mean of both.
        num_replays: of the trainer; both intervals are divided by it, as epochs are, and rounded down.
        seed: of cases, patches and attack.

    Raises:
        ValueError: no case, or an argument out of its range.
    """

    def __init__(
        self,
        stored_task_dir: str | Path,
        case_ids: Sequence[str],
        plan: TaskPlan,
        inference: Mapping[str, Any],
        interval: int = 1,
        max_volumes: int | None = 8,
        volume_interval: int = 1,
        max_patches: int | None = 64,
        attack: Mapping[str, Any] | None = None,
        epsilon: float = 8 / 255,
        max_attacked: int = 4,
        threat: type[ThreatModel] = LinfThreat,
        monitor: Monitor = "dice",
        num_replays: int = 1,
        seed: int = 0,
    ) -> None:
        if interval < 1 or volume_interval < 1 or volume_interval % interval:
            raise ValueError(
                f"validation.interval is {interval} and volume_interval {volume_interval}: the second must be a "
                "positive multiple of the first"
            )
        if monitor not in ("dice", "robust_dice", "mean"):
            raise ValueError(f"validation.monitor is {monitor!r}, known are 'dice', 'robust_dice' and 'mean'")
        if monitor != "dice" and attack is None:
            raise ValueError(f"validation.monitor is {monitor!r}, which needs validation.attack")
        if monitor == "mean" and max_volumes == 0:
            raise ValueError("validation.monitor is 'mean', which needs validation.max_volumes of at least 1")
        self.plan, self.inference, self.monitor, self.seed = plan, dict(inference), monitor, seed
        self.interval = max(1, interval // num_replays)
        self.volume_interval = self.interval * max(1, volume_interval // num_replays // self.interval)
        volumes = () if max_volumes == 0 else spread(case_ids, max_volumes, seed)
        self.volumes = VolumeDataset(stored_task_dir, volumes)
        looked_at = self.volumes.cases if volumes or attack is None else VolumeDataset(stored_task_dir, case_ids).cases
        with_something = {case.properties.case_id: case for case in looked_at if case.properties.class_places}
        if looked_at and not with_something:
            named = ", ".join(case.properties.case_id for case in looked_at[:3]) + (
                ", ..." if len(looked_at) > 3 else ""
            )
            raise ValueError(
                f"none of the cases that select the checkpoint ({named}) has anything to find in its label, so no "
                "epoch would be better than another: give another seed, validation.max_volumes or selection_fraction"
            )
        self.patches = PatchDataset(
            stored_task_dir,
            spread(case_ids, max_patches, seed),
            plan.patch_size,
            plan.patch_size,
            [{"type": "ClipToBox"}],
            seed=seed,
        )
        self.attack: Attack | None = None if attack is None else ATTACKS.build(dict(attack))
        attacked = () if attack is None else spread(tuple(with_something), max_attacked, seed)
        self.attacked = [with_something[case_id] for case_id in attacked]
        self.epsilon, self.threat = epsilon, threat

    def is_due(self, epoch: int, max_epochs: int) -> bool:
        """Whether an epoch, counted from 0, ends with a validation; the last one always does."""
        return self._due(self.interval, epoch, max_epochs)

    def run(
        self, model: nn.Module, optim_wrapper: OptimWrapper, device: torch.device, *, epoch: int, max_epochs: int
    ) -> dict[str, float]:
        """Measure; the processes share the cases and all get the same numbers.

        Returns:
            ``val_loss`` and, where volumes are due, ``dice``, ``dice_<class>``, ``score``, what the best checkpoint
            has most of, and of the attacked cases ``robust_dice`` and the losses ``robust_loss`` and
            ``single_step_loss`` (FGSM).
        """
        model.eval()
        with_volumes = self._due(self.volume_interval, epoch, max_epochs)
        with torch.no_grad(), optim_wrapper.optim_context(model):
            rows = self._losses(model, device)
            if with_volumes:
                rows += self._dice(model, device)
        if with_volumes:
            rows += self._robust_dice(model, device)
        metrics = _means(_gather(rows))
        clean, robust = metrics.get("dice", math.nan), metrics.get("robust_dice", math.nan)
        score = {"dice": clean, "robust_dice": robust, "mean": (clean + robust) / 2}[self.monitor]
        return metrics if math.isnan(score) else {**metrics, "score": score}

    def _due(self, interval: int, epoch: int, max_epochs: int) -> bool:
        return (epoch + 1) % interval == 0 or epoch + 1 == max_epochs

    def _losses(self, model: nn.Module, device: torch.device) -> list[dict[str, float]]:
        rows = []
        for index in _own(range(len(self.patches))):
            batch = Batch.stack([self.patches[0, index]])
            loss, _ = total_loss(model(batch.inputs.to(device), batch.targets.to(device), mode="loss"))
            rows.append({"val_loss": float(loss)})
        return rows

    def _dice(self, model: nn.Module, device: torch.device) -> list[dict[str, float]]:
        volume_logits = VolumeLogits(model, **self.inference, compute_device=device)
        rows = []
        for index in _own(range(len(self.volumes))):
            case = self.volumes[index]
            assert case.targets is not None  # the dataset refuses cases without label
            prediction = volume_logits(case.inputs).argmax(dim=1)
            dice = dice_per_class(prediction, case.targets, self.plan.num_classes)
            named = zip(self.plan.class_names, dice[0].tolist(), strict=True)
            rows.append(
                {"dice": float(mean_foreground_dice(dice)[0])} | {f"dice_{name}": value for name, value in named}
            )
        return rows

    def _robust_dice(self, model: nn.Module, device: torch.device) -> list[dict[str, float]]:
        if self.attack is None:
            return []
        volume_logits = VolumeLogits(model, **self.inference)
        rows = []
        for index in _own(range(len(self.attacked))):
            whole = stored_case(self.attacked[index])
            assert whole.targets is not None, "cases that select have a label"
            case = crop_case(whole, foreground_window(whole.targets[0], self.plan.window_size)).to(device)
            threat = self.threat.from_fraction(self.epsilon, case.box)
            rows.append(robust_look(volume_logits, self.attack, case, threat, epsilon=self.epsilon, seed=self.seed))
        return rows


def _own(indices: range) -> Sequence[int]:
    if not torch.distributed.is_initialized():
        return indices
    return indices[torch.distributed.get_rank() :: torch.distributed.get_world_size()]


def _gather(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    if not torch.distributed.is_initialized():
        return rows
    gathered: list[list[dict[str, float]]] = [[] for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather_object(gathered, rows)
    return [row for own in gathered for row in own]


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    # NaN: a class that neither target nor prediction has, which is left out of means.
    values: dict[str, list[float]] = {}
    for row in rows:
        for key, value in row.items():
            if not math.isnan(value):
                values.setdefault(key, []).append(value)
    return {key: math.fsum(entries) / len(entries) for key, entries in values.items()}
