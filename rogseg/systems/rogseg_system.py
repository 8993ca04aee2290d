"""A network that rogseg trained: planned per task, slid over whole volumes, post-processed as its plan says."""

import importlib.metadata
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rogseg.cases import Case, LogitFn
from rogseg.inference import (
    RegionVolumeLogits,
    VolumeLogits,
    raw_grid_labels,
    raw_grid_probabilities,
    write_prediction,
)
from rogseg.inference.one_answer import AskedTwice, in_evaluation_mode
from rogseg.models.kernels import fast_memory_format
from rogseg.preprocessing import (
    Volume,
    is_resampled,
    moves_to_raw_grid,
    preprocess_case,
    preprocess_volume,
    read_image,
)
from rogseg.preprocessing.rescaling import WHOLE_RANGE, rescaling_of
from rogseg.storage import CaseProperties, RawCase
from rogseg.systems.base import System, SystemChannel, SystemClass, SystemIdentity
from rogseg.systems.exact_arithmetic import compute_exactly
from rogseg.systems.given_image import Image, given_files, given_volume, refuse_destination
from rogseg.systems.moved_values import moved_volume, raw_moves
from rogseg.systems.prepared_case import prepared_case
from rogseg.task_plan import TaskPlan, Triple

__all__ = ["RogsegSystem"]


class RogsegSystem(System):
    """A network with its plan.

    Args:
        network: logits of a window; is set to evaluation mode and takes no gradients for its weights. Several, such as
            the networks of all folds, are one system whose logits are their mean.
        plan: of the task.
        window_size: of the sliding window [voxels].
        overlap: of neighbouring windows.
        mirror_axes: along which windows are mirrored, and the mean taken over all copies.
        window_batch: windows per call of the network.
        dtype: that the networks compute in (`VolumeLogits`).
        cuda_graphs: replay the network's passes on a GPU, which gives the same sooner (`GraphReplay`).
        device: where windows are evaluated; a GPU is set to `compute_exactly`.
        name: what a person calls the network.
        digest: SHA-256 of its weights and its config.
        options: further facts that decide its outputs, for the identity; JSON data.
    """

    def __init__(
        self,
        network: nn.Module | Sequence[nn.Module],
        plan: TaskPlan,
        window_size: Sequence[int],
        overlap: float = 0.5,
        window_batch: int = 1,
        device: torch.device | str = "cpu",
        *,
        mirror_axes: Sequence[int] = (),
        dtype: Literal["float32", "bfloat16"] = "float32",
        cuda_graphs: bool = False,
        name: str = "network",
        digest: str = "",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.device: torch.device = torch.device(device)
        compute_exactly(self.device)
        networks = [network] if isinstance(network, nn.Module) else list(network)
        self.networks: tuple[nn.Module, ...] = tuple(
            fast_memory_format(in_evaluation_mode(one).requires_grad_(False).to(self.device)) for one in networks
        )
        self.plan = plan
        self.surface_tolerance = plan.surface_tolerance
        self.classes = tuple(
            SystemClass(entry.name, (value,), entry.kind)
            for entry, value in zip(plan.classes, plan.label_values[1:], strict=True)
        )
        self.channels = tuple(
            SystemChannel(channel.modality, channel.modality, "scanner units of the case" if channel.rescale else "HU")
            for channel in plan.channels
        )
        volume_logits = VolumeLogits(
            self.networks if cuda_graphs else [AskedTwice(one, name) for one in self.networks],  # replays are compared
            window_size,
            overlap,
            mirror_axes=mirror_axes,
            window_batch=window_batch,
            compute_device=self.device,
            dtype=dtype,
            cuda_graphs=cuda_graphs,
        )
        self.window_size: Triple = volume_logits.window_size
        self._logits = RegionVolumeLogits(volume_logits)
        mirrored = {"mirrored_axes": list(volume_logits.mirror_axes)} if mirror_axes else {}
        decided_by = {"plan": plan.to_json(), "window_size": list(self.window_size), "overlap": overlap, **mirrored}
        if dtype != "float32":
            decided_by["dtype"] = dtype
        self.identity = SystemIdentity(
            "rogseg", name, digest, {**decided_by, **(options or {})}, {"torch": importlib.metadata.version("torch")}
        )

    @property
    def logits(self) -> LogitFn:
        """Whole volume -> logits, with the exact gradient; the Square attack may keep volumes open through it."""
        return self._logits

    @property
    def model(self) -> LogitFn:
        """The same: the logits of a softmax network are its scores."""
        return self._logits

    def prepare(self, raw: RawCase | Image, spacing: Sequence[float] | None = None) -> Case:
        """Bring a case to the network's grid and units, as the training cases were.

        Args:
            raw: a raw case, whose label comes along; or an image without one: a NIfTI file (3-D, or 4-D with the
                modality last), one 3-D file per channel, a `Volume`, or an array (C, D, H, W) or (D, H, W) in raw
                units [HU or scanner units].
            spacing: of an array [mm].

        Raises:
            ValueError: the image cannot be used; the message says why.
        """
        if isinstance(raw, RawCase):
            return prepared_case(preprocess_case(raw.images, self.plan, raw.label, raw.case_id), raw.notes)
        if (volume := given_volume(raw, spacing)) is not None:
            return prepared_case(preprocess_volume(volume, self.plan, None, "array"))
        return prepared_case(preprocess_case(given_files(raw), self.plan))

    def to_raw(self, logits: Tensor, case: Case) -> NDArray[np.uint8]:
        """Class indices (D, H, W) in the raw grid, post-processed as the plan says."""
        return raw_grid_labels(logits[0], self.plan, case.properties)

    def raw_adversary(self, raw: RawCase, case: Case, adversarial: Tensor) -> Volume:
        """The raw image, moved from inside of the window as the prepared case was moved.

        A channel that is rescaled by the case's own range keeps that range.
        """
        properties: CaseProperties = case.properties
        volume = read_image(raw.images, self.plan.num_channels)
        if volume.shape != properties.raw_shape:
            raise ValueError(
                f"{raw.images[0]}: has shape {volume.shape}, and case {case.case_id!r} was made from a file of shape "
                f"{properties.raw_shape}; name the raw data that it was made from with --data"
            )
        windows = list(zip(properties.raw_lower, properties.raw_upper, strict=True))
        rescalings = [rescaling_of(channel) for channel in self.plan.channels]
        notes = ["its plan resamples the case"] if is_resampled(properties) else []
        notes += [
            f"channel {index} is rescaled by percentiles of the case, which move with its voxels"
            for index, rescaling in enumerate(rescalings)
            if rescaling not in (None, WHOLE_RANGE)
        ]
        if any(entry.postprocess for entry in self.plan.classes):
            notes.append("its plan post-processes label maps, which an attack counts as they were before")
        kept = [rescaling == WHOLE_RANGE for rescaling in rescalings]
        moves = moves_to_raw_grid(raw_moves(case, adversarial), properties)
        return moved_volume(volume, moves, windows, kept, notes)

    def raw_probabilities(self, logits: Tensor, case: Case) -> NDArray[np.float32]:
        """The softmax (K, D, H, W) in the raw grid, the background first; not post-processed."""
        return raw_grid_probabilities(logits[0], self.plan, case.properties)

    @property
    def label_values(self) -> tuple[int, ...]:
        """As the plan has them."""
        return self.plan.label_values

    @torch.no_grad()
    def segment_on_network_grid(self, case: Case) -> NDArray[np.uint8]:
        """Class indices (D, H, W) on the network's grid, not post-processed: what attacks and choices are scored on."""
        labels: NDArray[np.uint8] = self.finite_logits(case)[0].argmax(0).to(torch.uint8).cpu().numpy()
        return labels

    def predict(
        self, image: Image, spacing: Sequence[float] | None = None, out: str | Path | None = None
    ) -> NDArray[np.int64]:
        """Segment an image as `prepare` takes it, and write a NIfTI file with its grid where ``out`` is given.

        What a person should know of the image, such as a grid that is told in two ways, is a warning.

        Returns:
            (D, H, W) raw label values on the raw grid.

        Raises:
            ValueError: the image cannot be used, or ``out`` is it, or no NIfTI file; the message says why.
        """
        if out is not None:
            refuse_destination(Path(out), image)
        case = self.prepare(image, spacing)
        for note in case.notes:
            warnings.warn(f"{case.case_id}: {note}", stacklevel=2)
        labels = self.segment(case)
        if out is not None:
            write_prediction(Path(out), labels, self.plan, case.properties)
        values: NDArray[np.int64] = np.array(self.plan.label_values, dtype=np.int64)[labels]
        return values
