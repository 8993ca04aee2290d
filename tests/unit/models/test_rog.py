import pytest
import torch
from torch import Tensor, nn

from benchmarks.plain_rog import PlainROG, copy_parameters
from rogseg.models import Segmentor

Strides = list[tuple[int, int, int]]


def build(strides: Strides, length: int = 2) -> Segmentor:
    backbone = {"type": "ROG", "in_channels": 2, "strides": strides, "length": length}
    return Segmentor(backbone, {"type": "ROGHead", "num_classes": 3, "scale": strides[0]})


def gradients(model: nn.Module, inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
    inputs = inputs.clone().requires_grad_()
    logits = model(inputs)
    weights = torch.linspace(-1, 1, logits.numel(), dtype=logits.dtype).view_as(logits)
    return logits.detach(), list(torch.autograd.grad((logits * weights).sum(), [inputs, *model.parameters()]))


@pytest.mark.parametrize("strides", [[(1, 1, 1), (1, 1, 1), (2, 2, 2)], [(1, 2, 2), (1, 1, 1), (2, 1, 1)]])
def test_it_equals_plain_rog_in_double_precision(strides: Strides) -> None:
    torch.manual_seed(0)
    model, plain = build(strides), PlainROG(2, 3, strides)
    copy_parameters(model, plain)
    plain.double()
    inputs = torch.randn(1, 2, 16, 16, 16)
    exact, exact_gradients = gradients(plain, inputs.double())
    logits, model_gradients = gradients(model, inputs)
    assert (logits - exact).norm() < 1e-5 * exact.norm()
    ours, theirs = (
        torch.cat([value.double().flatten() for value in values]) for values in (model_gradients, exact_gradients)
    )
    assert (ours - theirs).norm() < 1e-4 * theirs.norm()
    assert (model_gradients[0] - exact_gradients[0]).norm() < 1e-4 * exact_gradients[0].norm()


@pytest.mark.parametrize(("length", "deepest"), [(1, (3,)), (2, (3, 5)), (3, (3, 5, 7))])
def test_the_deepest_level_has_as_many_nodes_as_length_says(length: int, deepest: tuple[int, ...]) -> None:
    columns = build([(1, 1, 1)] * 3, length).backbone.lattice.columns
    assert len(columns) == 7 + 2 * (length - 1)
    assert tuple(column for column, levels in enumerate(columns) if 3 in levels) == deepest
    assert columns[0] == columns[-1] == (0,)


def test_cases_do_not_meet() -> None:
    model = build([(1, 1, 1), (1, 1, 1), (2, 2, 2)])
    inputs = torch.randn(2, 2, 16, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(model(inputs)[1:], model(inputs[1:]), rtol=1e-4, atol=1e-5)
