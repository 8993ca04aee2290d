import pytest
import torch
from torch.nn import functional

from rogseg.models.kernels import depthwise


@pytest.mark.parametrize("stride", [(1, 1, 1), (1, 2, 2), (2, 2, 1), (3, 1, 2)])
@pytest.mark.parametrize("grid", [(1, 4, 5), (2, 3, 3), (5, 6, 4)])
def test_gradients_are_those_of_autograd(stride: tuple[int, int, int], grid: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(1, 8, *grid, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(8, 1, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    result = functional.conv3d(inputs, weight, stride=stride, padding=1, groups=8)
    gradient = torch.randn_like(result)
    of_inputs, of_weight = torch.autograd.grad(result, (inputs, weight), gradient)
    with torch.no_grad():
        torch.testing.assert_close(depthwise.convolve(inputs, weight, stride), result)
        torch.testing.assert_close(depthwise.input_gradient(gradient, weight, stride, grid), of_inputs)
        torch.testing.assert_close(depthwise.weight_gradient(gradient, inputs, stride), of_weight)


def test_spread_puts_values_at_the_centres() -> None:
    values = torch.arange(1.0, 5.0).view(1, 1, 1, 2, 2)
    expected = torch.tensor([[1.0, 0, 2], [0, 0, 0], [3, 0, 4]]).view(1, 1, 1, 3, 3)
    assert torch.equal(depthwise.spread(values, (1, 2, 2), (1, 3, 3)), expected)
