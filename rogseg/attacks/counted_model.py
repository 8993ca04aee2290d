"""The model as an attack sees it: checked, counted, and left as it was found."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from rogseg.cases import LogitFn

__all__ = ["CountedModel", "frozen_parameters", "value_and_gradient"]


class CountedModel:
    """A model whose every forward and backward pass is counted, whatever the attack does.

    A backward pass is counted by a hook on the logits, so that one that an attack starts by itself counts too.

    Args:
        model: LogitFn.
        highest_target: the highest class in the targets; the model must have it.
    """

    def __init__(self, model: LogitFn, highest_target: int) -> None:
        self.model = model
        self.highest_target = highest_target
        self.num_forward = 0
        self.num_backward = 0

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W) raw logits, at least float32.

        Raises:
            ValueError: the output is no tensor, has a wrong shape or too few classes, or (first call) is not finite.
        """
        logits = self.model(inputs)
        self._check(inputs, logits)
        self.num_forward += 1
        if logits.requires_grad:
            logits.register_hook(self._count_backward)  # type: ignore[no-untyped-call]
        return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits

    def _count_backward(self, gradient: Tensor) -> None:
        self.num_backward += 1

    def _check(self, inputs: Tensor, logits: Tensor) -> None:
        if not isinstance(logits, Tensor):
            raise ValueError(
                f"the model returned a {type(logits).__name__}, an attack needs the tensor of raw logits: "
                "wrap the model, for instance `lambda inputs: model(inputs)[0]`"
            )
        if logits.ndim != 5 or len(logits) != len(inputs) or logits.shape[2:] != inputs.shape[2:]:
            raise ValueError(
                f"the model returned logits of shape {tuple(logits.shape)} for inputs {tuple(inputs.shape)}; expected "
                "(B, K, D, H, W) on the grid of the inputs: resample or pad inside the callable"
            )
        if logits.shape[1] < 2 or self.highest_target >= logits.shape[1]:
            raise ValueError(
                f"the targets hold class {self.highest_target} but the model has {logits.shape[1]} classes (background "
                "included, at least 2): use the labels of the task that the model was trained on"
            )
        if self.num_forward == 0 and not torch.isfinite(logits).all():
            raise ValueError(
                "the model returned logits that are not finite: check the checkpoint and the inputs' scaling"
            )


def value_and_gradient(
    model: LogitFn, objective: Callable[[Tensor, Tensor], Tensor], inputs: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One forward and one backward pass; nothing of the graph survives.

    Returns:
        the objective (B,), its gradient with respect to the inputs (B, C, D, H, W), the logits (B, K, D, H, W);
        all detached.
    """
    with torch.enable_grad():
        leaf = inputs.detach().requires_grad_()
        logits = model(leaf)
        values = objective(logits, targets)
        (gradient,) = torch.autograd.grad(values.sum(), leaf)
    return values.detach(), gradient, logits.detach()


@contextmanager
def frozen_parameters(model: LogitFn) -> Iterator[None]:
    """Turn the gradients of a module's parameters off meanwhile; a plain callable is left alone."""
    if not isinstance(model, nn.Module):
        yield
        return
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
