from unittest import mock

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rogseg.models.kernels import depthwise as depthwise_kernel
from rogseg.models.kernels import swish_conv_norm

Stride = tuple[int, int, int]
CASES = [(True, True, (1, 1, 1)), (True, True, (1, 2, 2)), (False, True, (2, 2, 2)), (True, False, (2, 2, 1))]


def plain(
    inputs: Tensor,
    depthwise: Tensor | None,
    pointwise: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    swish: bool,
    stride: Stride,
) -> Tensor:
    hidden = inputs * torch.sigmoid(inputs) if swish else inputs
    if depthwise is None:
        hidden = functional.conv3d(hidden, pointwise, stride=stride)
    else:
        hidden = functional.conv3d(hidden, depthwise, stride=stride, padding=1, groups=len(depthwise))
        hidden = functional.conv3d(hidden, pointwise)
    return functional.instance_norm(hidden, weight=weight, bias=bias, eps=1e-5)


def arguments(separable: bool, dtype: torch.dtype = torch.float64) -> list[Tensor | None]:
    torch.manual_seed(0)
    shapes = [(2, 4, 5, 4, 6), (4, 1, 3, 3, 3), (6, 4, 1, 1, 1), (6,), (6,)]
    tensors: list[Tensor | None] = [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]
    return tensors if separable else [tensors[0], None, *tensors[2:]]


@pytest.mark.parametrize(("swish", "separable", "stride"), CASES)
def test_it_equals_its_plain_twin(swish: bool, separable: bool, stride: Stride) -> None:
    given = arguments(separable)
    expected = plain(*given, swish=swish, stride=stride)  # type: ignore[arg-type]
    residual = torch.randn_like(expected, requires_grad=True)
    result = swish_conv_norm(*given, residual=residual, swish=swish, stride=stride, eps=1e-5)  # type: ignore[arg-type]
    torch.testing.assert_close(result, expected + residual)
    wanted = [tensor for tensor in given if tensor is not None]
    gradient = torch.randn_like(expected)
    theirs = torch.autograd.grad(expected, wanted, gradient)
    *ours, of_residual = torch.autograd.grad(result, [*wanted, residual], gradient)
    assert torch.equal(of_residual, gradient)
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their)
    with torch.no_grad():
        again = swish_conv_norm(*given, residual=residual, swish=swish, stride=stride, eps=1e-5)  # type: ignore[arg-type]
    assert torch.equal(again, result)


@pytest.mark.parametrize(
    "device", ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]
)
def test_it_runs_on_any_device_and_under_autocast(device: str) -> None:
    given = [None if tensor is None else tensor.detach().to(device) for tensor in arguments(True, torch.float32)]
    options = {"swish": True, "stride": (1, 1, 1), "eps": 1e-5}
    full = swish_conv_norm(*given, **options)  # type: ignore[arg-type]
    with torch.autocast(device, dtype=torch.bfloat16):
        half = swish_conv_norm(*given, **options)  # type: ignore[arg-type]
    assert (half.float() - full).norm() < 0.02 * full.norm()


def test_weights_without_gradient_cost_nothing() -> None:
    given = arguments(True)
    for tensor in given[1:]:
        assert tensor is not None
        tensor.requires_grad_(False)
    result = swish_conv_norm(*given, swish=True, stride=(1, 1, 1), eps=1e-5)  # type: ignore[arg-type]
    with mock.patch.object(depthwise_kernel, "weight_gradient", side_effect=AssertionError("not asked for")):
        result.sum().backward()  # type: ignore[no-untyped-call]
    inputs = given[0]
    assert inputs is not None
    assert inputs.grad is not None
