"""AutocastOptimWrapper: mixed precision on whatever device the weights are on."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.engine.config.takers import takes
from rogseg.registry import OPTIM_WRAPPERS

__all__ = ["AutocastOptimWrapper"]


@takes("optim_wrapper.clip_grad")
@dataclasses.dataclass(frozen=True)
class GradientClipping:
    """What MMEngine's wrappers take as ``clip_grad``.

    Args:
        type: ``norm`` scales all gradients together, ``value`` cuts each one.
        max_norm: of all gradients together.
        norm_type: which norm.
        error_if_nonfinite: whether gradients that are not finite end the training.
        foreach: see ``torch.nn.utils.clip_grad_norm_``.
        clip_value: largest value of a gradient.
    """

    type: Literal["norm", "value"] = "norm"
    max_norm: float | None = None
    norm_type: float = 2.0
    error_if_nonfinite: bool = False
    foreach: bool | None = None
    clip_value: float | None = None


DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Runs the forward pass under autocast; float16 scales the loss so that small gradients survive.

    MMEngine's own wrapper refuses the CPU.

    Args:
        optimizer: the optimizer.
        dtype: ``bfloat16`` or, on a GPU only, ``float16``.
        accumulative_counts: backward passes per update.
        clip_grad: arguments of ``torch.nn.utils.clip_grad_norm_``.

    Raises:
        ValueError: an unknown `dtype`, or float16 on a CPU.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        dtype: Literal["bfloat16", "float16"] = "bfloat16",
        accumulative_counts: int = 1,
        clip_grad: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(optimizer, accumulative_counts=accumulative_counts, clip_grad=clip_grad)
        if dtype not in DTYPES:
            raise ValueError(f"optim_wrapper.dtype is {dtype!r}, known are {sorted(DTYPES)}")
        self.device_type: str = optimizer.param_groups[0]["params"][0].device.type
        if dtype == "float16" and self.device_type == "cpu":
            raise ValueError("optim_wrapper.dtype is 'float16', which needs a GPU; a CPU takes 'bfloat16'")
        self.dtype = DTYPES[dtype]
        self.scaler = torch.amp.GradScaler(self.device_type, enabled=dtype == "float16")

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast, and no gradient synchronisation while gradients accumulate."""
        with super().optim_context(model), torch.autocast(self.device_type, dtype=self.dtype):
            yield

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Backward pass of the scaled loss."""
        self.scaler.scale(loss).backward(**kwargs)  # type: ignore[no-untyped-call]
        self._inner_count += 1

    def step(self, **kwargs: Any) -> None:
        """Unscale, clip and update; float16 leaves out an update whose gradients overflowed."""
        if self.clip_grad_kwargs:
            self.scaler.unscale_(self.optimizer)
            self._clip_grad()
        self.scaler.step(self.optimizer, **kwargs)
        self.scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """State of the optimizer and of the loss scale."""
        return {**super().state_dict(), "loss_scaler": self.scaler.state_dict()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; a state without loss scale keeps the initial one."""
        state = dict(state_dict)
        scaler = state.pop("loss_scaler", None)
        if scaler:
            self.scaler.load_state_dict(scaler)
        super().load_state_dict(state)
