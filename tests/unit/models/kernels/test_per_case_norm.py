import torch
from torch import Tensor
from torch.nn import functional

from rogseg.models.kernels.per_case_norm import ROWS_PER_STREAM, PerCaseNorm, rows_of, statistics


def test_gradients_in_double_precision() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(2, 3, 4, 2, 3, dtype=torch.float64, requires_grad=True)
    weight, bias = (torch.randn(3, dtype=torch.float64, requires_grad=True) for _ in range(2))

    def norm(*tensors: Tensor) -> Tensor:
        out: Tensor = PerCaseNorm.apply(*tensors, 1e-5)  # type: ignore[no-untyped-call]
        return out

    torch.testing.assert_close(
        norm(inputs, weight, bias), functional.instance_norm(inputs, weight=weight, bias=bias, eps=1e-5)
    )
    assert torch.autograd.gradcheck(norm, (inputs, weight, bias))


def test_sums_over_many_voxels_stay_exact() -> None:
    """Summed one after the other, 300,000 values around 3 would give a deviation that is 1e-4 off."""
    case = torch.randn(1, 4, 100, 100, 30, generator=torch.Generator().manual_seed(0)) + 3
    mean, reciprocal = statistics(rows_of(case.contiguous(memory_format=torch.channels_last_3d)), 1e-5)
    exact = case.double().flatten(2)[0]
    torch.testing.assert_close(mean.double(), exact.mean(1), rtol=1e-6, atol=0)
    deviation = (exact.var(1, unbiased=False) + 1e-5).rsqrt()
    torch.testing.assert_close(reciprocal.double(), deviation, rtol=2e-6, atol=0)


def test_voxels_left_over_by_the_streams_count_like_the_others() -> None:
    rows = torch.randn(2 * ROWS_PER_STREAM + 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows[-1] += 100
    mean, reciprocal = statistics(rows, 0.0)
    torch.testing.assert_close(mean, rows.mean(0))
    torch.testing.assert_close(reciprocal, rows.std(0, unbiased=False).reciprocal())


def test_gradients_over_streams_and_what_they_leave_over() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(2, 3, 5, 7, 59, dtype=torch.float64, requires_grad=True)
    assert inputs[0, 0].numel() == 2 * ROWS_PER_STREAM + 17
    weight, bias = (torch.randn(3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    of_result = torch.randn(inputs.shape, dtype=torch.float64)
    plain = functional.instance_norm(inputs, weight=weight, bias=bias, eps=1e-5)
    ours = PerCaseNorm.apply(inputs, weight, bias, 1e-5)  # type: ignore[no-untyped-call]
    for found, expected in zip(
        torch.autograd.grad(ours, (inputs, weight, bias), of_result),
        torch.autograd.grad(plain, (inputs, weight, bias), of_result),
        strict=True,
    ):
        torch.testing.assert_close(found, expected)
