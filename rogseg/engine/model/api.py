"""The Python side door: load a trained network, predict, or hand it to an attack; no Runner is involved."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import nn

from rogseg.cases import IntensityBox
from rogseg.engine.config.load import load_config
from rogseg.engine.config.takers import takes
from rogseg.engine.config.task import plan_of
from rogseg.engine.model.compilation import compile_in_place
from rogseg.engine.model.model_zoo import zoo_model
from rogseg.engine.model.recorded_plan import recorded_plan
from rogseg.engine.model.region_logits import RegionVolumeLogits
from rogseg.engine.training.checkpoints import assign_weights, read_checkpoint
from rogseg.inference import VolumeLogits, raw_grid_labels, write_prediction
from rogseg.preprocessing import Volume, preprocess_case, preprocess_volume
from rogseg.registry import MODELS
from rogseg.storage import CaseProperties
from rogseg.task_plan import TaskPlan

__all__ = ["PreparedCase", "TrainedModel", "build_model", "load_model", "load_zoo_model"]

takes("inference", "model", "compute_device")(VolumeLogits)

Image = str | Path | Sequence[Path] | Volume | NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class PreparedCase:
    """A case as the network sees it.

    Args:
        inputs: (1, C, D, H, W) [network units], inside the box.
        box: valid intensities [network units].
        properties: what leads back to the raw grid.
    """

    inputs: torch.Tensor
    box: IntensityBox
    properties: CaseProperties


class TrainedModel:
    """A network with its plan.

    Args:
        network: logits of a window; is set to evaluation mode and takes no gradients for its weights.
        plan: of the task.
        window_size: of the sliding window [voxels].
        overlap: of neighbouring windows.
        window_batch: windows per call of the network.
        device: where windows are evaluated.
    """

    def __init__(
        self,
        network: nn.Module,
        plan: TaskPlan,
        window_size: Sequence[int],
        overlap: float = 0.5,
        window_batch: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        self.device = torch.device(device)
        self.network = network.eval().requires_grad_(False)
        # The depthwise convolutions of ROG run several times faster with channels last.
        self.network = self.network.to(self.device).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self.plan = plan
        self.logits = RegionVolumeLogits(
            VolumeLogits(self.network, window_size, overlap, window_batch=window_batch, compute_device=self.device)
        )
        """Whole volume -> logits: what an attack takes as its model."""

    def prepare(self, image: Image, spacing: Sequence[float] | None = None) -> PreparedCase:
        """Bring an image to the network's grid and units, as the training cases were.

        Args:
            image: a NIfTI file (3-D, or 4-D with the modality last), one 3-D file per channel, a `Volume`, or an
                array (C, D, H, W) or (D, H, W) in raw units [HU or scanner units].
            spacing: of an array [mm].

        Raises:
            ValueError: the image cannot be used; the message says why.
        """
        if isinstance(image, np.ndarray):
            if spacing is None:
                raise ValueError("an array says nothing of its grid: pass spacing=(x, y, z) [mm] with it")
            array = image[None] if image.ndim == 3 else image
            image = Volume(array.astype(np.float32, copy=False), np.diag([*spacing, 1.0]))
        if isinstance(image, Volume):
            values, _, properties = preprocess_volume(image, self.plan, None, "array")
        else:
            files = [Path(image)] if isinstance(image, str | Path) else [Path(path) for path in image]
            values, _, properties = preprocess_case(files, self.plan)
        return self.prepared(values, properties)

    def prepared(self, values: NDArray[np.float32], properties: CaseProperties) -> PreparedCase:
        """What `prepare` gives, from a stored case: its image (C, D, H, W) [network units] and its properties."""
        box = IntensityBox.per_channel(properties.box_lower, properties.box_upper)
        return PreparedCase(torch.from_numpy(values)[None].clamp_(box.lower, box.upper), box, properties)

    @torch.no_grad()
    def predict_prepared(self, case: PreparedCase) -> NDArray[np.uint8]:
        """Class indices (D, H, W) on the raw grid, post-processed as the plan says."""
        return raw_grid_labels(self.logits(case.inputs)[0], self.plan, case.properties)

    @torch.no_grad()
    def predict_on_network_grid(self, case: PreparedCase) -> NDArray[np.uint8]:
        """Class indices (D, H, W) on the network's grid, not post-processed: what attacks and choices are scored on."""
        labels: NDArray[np.uint8] = self.logits(case.inputs)[0].argmax(0).to(torch.uint8).cpu().numpy()
        return labels

    def predict(
        self, image: Image, spacing: Sequence[float] | None = None, out: str | Path | None = None
    ) -> NDArray[np.int64]:
        """Segment an image as `prepare` takes it, and write a NIfTI file with its grid where ``out`` is given.

        Returns:
            (D, H, W) raw label values on the raw grid.
        """
        case = self.prepare(image, spacing)
        labels = self.predict_prepared(case)
        if out is not None:
            write_prediction(Path(out), labels, self.plan, case.properties)
        values: NDArray[np.int64] = np.array(self.plan.label_values, dtype=np.int64)[labels]
        return values


def load_model(
    config: str | Path,
    checkpoint: str | Path,
    *,
    device: torch.device | str | None = None,
    task_dir: str | Path | None = None,
    overrides: Sequence[str] = (),
) -> TrainedModel:
    """Load a trained network.

    Args:
        config: of its training.
        checkpoint: its weights.
        device: cpu or cuda; None takes cuda where there is one.
        task_dir: folder of the stored task, where the config has no plan.
        overrides: ``key=value`` for keys of the config.

    Raises:
        ValueError: config and checkpoint cannot be read or do not fit; the message says what to do.
    """
    return build_model(load_config(config, list(overrides), task_dir), checkpoint, device)


def load_zoo_model(name: str, *, device: torch.device | str | None = None) -> TrainedModel:
    """Load a network of the model zoo by its name, for instance ``rog_standard_hippocampus_light``.

    Raises:
        ValueError: there is none of that name, or its file is damaged.
    """
    entry = zoo_model(name)
    return load_model(entry.config, entry.checkpoint, device=device)


def build_model(config: Config, checkpoint: str | Path, device: torch.device | str | None = None) -> TrainedModel:
    """The same for a config that is loaded; the plan recorded beside the checkpoint counts."""
    network = MODELS.build(config.model)
    assign_weights(network, read_checkpoint(checkpoint)["state_dict"], checkpoint)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    compile_in_place(network, config.get("compile"))
    return TrainedModel(network, recorded_plan(checkpoint, plan_of(config)), **config.inference, device=device)
