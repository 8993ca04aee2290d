"""Swish, convolution and norm as one step of autograd, case by case.

Why: over full-resolution tensors memory traffic rules. One case's tensors stay in the cache from one operation to the
next, where those of a batch do not. Plain autograd stores five tensors, this three (two while no weight needs a
gradient): backward recomputes swish from the input of the unit. A pointwise convolution in channels_last_3d is one
matrix product, without the copies that a convolution makes. Gradients of weights that nobody asked for (attacks) cost
nothing.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from rogseg.models.kernels import depthwise as depthwise_kernel
from rogseg.models.kernels.per_case_norm import (
    cases_of,
    empty_like_cases,
    normalise,
    normalise_backward,
    rows_of,
    statistics,
)

__all__ = ["FusedUnit"]

Stride = tuple[int, int, int]


class FusedUnit(torch.autograd.Function):
    """norm(pointwise(depthwise(swish(inputs)))) + residual; swish, depthwise and residual may be missing."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        depthwise: Tensor | None,
        pointwise: Tensor,
        weight: Tensor,
        bias: Tensor,
        residual: Tensor | None,
        swish: bool,
        stride: Stride,
        eps: float,
        keep: bool,
    ) -> Tensor:
        """(B, C, D, H, W) -> (B, C', D/s, H/s, W/s), in channels_last_3d; ``keep`` what backward will need."""
        inputs = inputs.contiguous(memory_format=torch.channels_last_3d)
        grid = [(length - 1) // step + 1 for length, step in zip(inputs.shape[2:], stride, strict=True)]
        out = empty_like_cases(inputs, grid, len(pointwise))
        keep_hidden = keep and depthwise is not None and ctx.needs_input_grad[2]
        hidden, before, saved = [], [], []
        for index, case in enumerate(cases_of(inputs)):
            convolved = rows_of(_convolve(case, depthwise, swish, stride))
            case_out = rows_of(out[index : index + 1])
            # What nobody keeps is normalised where it stands.
            rows = torch.mm(convolved, pointwise.flatten(1).t(), out=None if keep else case_out)
            mean, reciprocal = statistics(rows, eps)
            normalise(rows, mean, reciprocal, weight, bias, out=case_out)
            if residual is not None:
                case_out += rows_of(residual[index : index + 1])
            saved += [mean, reciprocal]
            if keep:
                before.append(rows)
            if keep_hidden:
                hidden.append(convolved)
        ctx.save_for_backward(inputs, depthwise, pointwise, weight, *saved, *before, *hidden)
        ctx.swish, ctx.stride = swish, stride
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the tensors among the arguments of ``forward``, of those that are asked for."""
        inputs, depthwise, pointwise, weight, *saved = ctx.saved_tensors
        before, hidden = saved[2 * len(inputs) : 3 * len(inputs)], saved[3 * len(inputs) :]
        need_inputs, need_depthwise, need_pointwise, need_weight, need_bias, need_residual = ctx.needs_input_grad[:6]
        gradient = gradients[0].contiguous(memory_format=torch.channels_last_3d)
        of_inputs = empty_like_cases(inputs, inputs.shape[2:], inputs.shape[1]) if need_inputs else None
        of_depthwise = torch.zeros_like(depthwise) if need_depthwise else None
        of_pointwise = torch.zeros_like(pointwise) if need_pointwise else None
        of_weight, of_bias = torch.zeros_like(weight), torch.zeros_like(weight)
        for index, case in enumerate(cases_of(inputs)):
            case_gradient = gradient[index : index + 1]
            of_rows, case_weight, case_bias = normalise_backward(
                rows_of(case_gradient), before[index], saved[2 * index], saved[2 * index + 1], weight
            )
            of_weight += case_weight
            of_bias += case_bias
            if of_pointwise is not None:
                convolved = hidden[index] if hidden else rows_of(_convolve(case, depthwise, ctx.swish, ctx.stride))
                of_pointwise.flatten(1).addmm_(of_rows.t(), convolved)
            if of_inputs is None and of_depthwise is None:
                continue
            of_hidden = of_rows @ pointwise.flatten(1)
            of_hidden = of_hidden.view(1, *case_gradient.shape[2:], -1).permute(0, 4, 1, 2, 3)
            if of_depthwise is not None:
                swished = functional.silu(case) if ctx.swish else case
                of_depthwise += depthwise_kernel.weight_gradient(of_hidden, swished, ctx.stride)
            if of_inputs is not None:
                of_case = _convolve_backward(of_hidden, depthwise, ctx.stride, case)
                result = of_inputs[index : index + 1]
                if ctx.swish:
                    torch.ops.aten.silu_backward.grad_input(of_case, case, grad_input=result)
                else:
                    result.copy_(of_case)
        of_norm = (of_weight if need_weight else None, of_bias if need_bias else None)
        return (
            of_inputs,
            of_depthwise,
            of_pointwise,
            *of_norm,
            gradient if need_residual else None,
            None,
            None,
            None,
            None,
        )


def _convolve(case: Tensor, depthwise: Tensor | None, swish: bool, stride: Stride) -> Tensor:
    """What the matrix product takes. Without a depthwise convolution the stride comes before swish."""
    if depthwise is None:
        d, h, w = stride
        case = case[:, :, ::d, ::h, ::w]
    if swish:
        case = functional.silu(case)
    return case if depthwise is None else depthwise_kernel.convolve(case, depthwise, stride)


def _convolve_backward(of_hidden: Tensor, depthwise: Tensor | None, stride: Stride, case: Tensor) -> Tensor:
    if depthwise is None:
        return depthwise_kernel.spread(of_hidden, stride, case.shape[2:])
    return depthwise_kernel.input_gradient(of_hidden, depthwise, stride, case.shape[2:])
