"""Small sound networks, trained in the test, and the faults that can be planted in them."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rogseg.attacks.frequency.block_dct import block_dct, inverse_block_dct
from rogseg.cases import Case, IntensityBox

BOX = IntensityBox.per_channel([-2.0], [3.0])
EPSILON = 8 / 255
Network = Callable[[Tensor], Tensor]


def cases(num_cases: int = 2) -> list[Case]:
    """A bright organ with a brighter core in noise, as far from each other as the tissues of an MR."""
    generator = torch.Generator().manual_seed(0)
    grid = torch.stack(torch.meshgrid(*[torch.arange(12.0)] * 3, indexing="ij"))
    found = []
    for index in range(num_cases):
        centre = 4.5 + 2 * torch.rand(3, generator=generator)
        distance = (grid - centre.view(3, 1, 1, 1)).norm(dim=0)
        targets = (distance < 4.2).long() + (distance < 2.6).long()
        noise = 0.2 * torch.randn(targets.shape, generator=generator)
        inputs = BOX.clip(0.35 * targets[None, None] + noise)
        found.append(Case(f"case_{index}", inputs, targets[None], BOX))
    return found


class _TwoScales(nn.Module):
    """An encoder, a coarse level and a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv3d(1, 6, 3, padding=1), nn.Conv3d(6, 6, 3, padding=1)
        self.head = nn.Conv3d(12, 3, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        fine = F.leaky_relu(self.fine(inputs))
        coarse = F.leaky_relu(self.coarse(F.avg_pool3d(fine, 2)))
        return self.head(torch.cat([fine, F.interpolate(coarse, scale_factor=2, mode="trilinear")], dim=1))


def _stack(activation: nn.Module, norm: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(1, 6, 3, padding=1), norm, activation, nn.Conv3d(6, 6, 3, padding=1), activation, nn.Conv3d(6, 3, 1)
    )


# Monotone maps of the logits that hide nothing: labels stay, gradients shrink, and the ensembles do not mind.
FLATTENED: dict[str, Callable[[Network], Network]] = {
    "gently squeezed outputs": lambda network: lambda inputs: 4 * torch.tanh(network(inputs) / 4),
    "smoothed labels": lambda network: lambda inputs: (0.9 * network(inputs).softmax(1) + 0.1 / 3).log(),
}


@functools.cache
def sound(name: str) -> nn.Module:
    """A trained network in evaluation mode."""
    torch.manual_seed(0)
    network: nn.Module = {
        "tanh": lambda: _stack(nn.Tanh(), nn.Identity()),
        "relu": lambda: _stack(nn.ReLU(), nn.Identity()),
        "instance norm": lambda: _stack(nn.LeakyReLU(), nn.InstanceNorm3d(6)),
        "batch norm": lambda: _stack(nn.GELU(), nn.BatchNorm3d(6)),
        "silu": lambda: _stack(nn.SiLU(), nn.Identity()),
        "two scales": _TwoScales,
    }[name]()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    inputs, targets = (torch.cat([getattr(case, key) for case in cases()]) for key in ("inputs", "targets"))
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(network(inputs), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return network.eval().requires_grad_(False)


SOUND = ("tanh", "relu", "instance norm", "batch norm", "silu", "two scales")


class _OtherGradient(torch.autograd.Function):
    """The identity whose gradient is what a function makes of it."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.change = change
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.change(gradients[0]), None


class _Rounded(torch.autograd.Function):
    """Rounding that pretends to be the identity backwards."""

    @staticmethod
    def forward(_: Any, values: Tensor, step: float) -> Tensor:
        return (values / step).round() * step

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def _gradient(change: Callable[[Tensor], Tensor]) -> Callable[[Network], Network]:
    def plant(network: Network) -> Network:
        return lambda inputs: network(_OtherGradient.apply(inputs, change))  # type: ignore[no-untyped-call]

    return plant


def _noise_like(values: Tensor, seed: int) -> Tensor:
    return torch.randn(values.shape, generator=torch.Generator().manual_seed(seed))


def _hash(inputs: Tensor) -> int:
    return hash(inputs.detach().numpy().tobytes()) % 2**31


def _second_call(network: Network) -> Network:
    calls: list[int] = []

    def answer(inputs: Tensor) -> Tensor:
        calls.append(1)
        return network(inputs if len(calls) % 2 else inputs.flip(2))

    return answer


def _after_many_calls(network: Network) -> Network:
    """Goes astray only once an attack is under way."""
    calls: list[int] = []

    def answer(inputs: Tensor) -> Tensor:
        calls.append(1)
        return network(inputs if len(calls) < 3 else inputs.roll(1, dims=2))

    return answer


def _other_when_asked(network: Network) -> Network:
    return lambda inputs: network(inputs.flip(2) if inputs.requires_grad else inputs)


def _random_layer(network: Network) -> Network:
    return lambda inputs: network(inputs + 0.2 * torch.randn_like(inputs))


def _resized(inputs: Tensor, seed: int) -> Tensor:
    """Smaller by a random factor, and back."""
    factor = 0.7 + 0.3 * float(torch.rand((), generator=torch.Generator().manual_seed(seed)))
    smaller = F.interpolate(inputs, scale_factor=factor, mode="trilinear")
    return F.interpolate(smaller, size=inputs.shape[2:], mode="trilinear")


def _compressed(inputs: Tensor) -> Tensor:
    return inverse_block_dct((block_dct(inputs) / 0.5).round() * 0.5)


def _compressed_with_a_gradient(inputs: Tensor) -> Tensor:
    return inverse_block_dct(_Rounded.apply(block_dct(inputs), 0.5))  # type: ignore[no-untyped-call]


def _hotter_when_attacked(network: Network) -> Network:
    """Logits times 1000 once a volume is rougher than the clean ones are: a softmax has no gradient from there on."""

    def roughness(inputs: Tensor) -> float:
        return float(inputs.detach().diff(dim=-1).abs().mean())

    usual = 1.005 * max(roughness(case.inputs) for case in cases())
    return lambda inputs: network(inputs) * (1000 if roughness(inputs) > usual else 1)


def _median_of_neighbours(inputs: Tensor) -> Tensor:
    padded = F.pad(inputs, [1] * 6, mode="replicate")
    windows = padded.unfold(2, 3, 1).unfold(3, 3, 1).unfold(4, 3, 1)
    return windows.flatten(5).median(-1).values


def _beyond(radius: float, other: Callable[[Network], Network]) -> Callable[[Network], Network]:
    """Sound on the clean volumes and near them, something else further away [share of the box's width]."""

    def plant(network: Network) -> Network:
        astray, far = other(network), radius * float(BOX.width.max())
        known = [case.inputs for case in cases()]

        def answer(inputs: Tensor) -> Tensor:
            is_near = any(float((inputs.detach() - one).abs().max()) <= far for one in known)
            return network(inputs) if is_near else astray(inputs)

        return answer

    return plant


def _every_other_slice(network: Network) -> Network:
    """Half of the inputs reach the network past autograd."""

    def answer(inputs: Tensor) -> Tensor:
        is_known = torch.arange(inputs.shape[2]).view(-1, 1, 1) % 2 == 0
        return network(torch.where(is_known, inputs, inputs.detach()))

    return answer


def _organ_past_autograd(network: Network) -> Network:
    def answer(inputs: Tensor) -> Tensor:
        is_organ = F.avg_pool3d(inputs.detach(), 5, 1, 2) > 0.25
        return network(torch.where(is_organ, inputs.detach(), inputs))

    return answer


def _background_past_autograd(network: Network) -> Network:
    def answer(inputs: Tensor) -> Tensor:
        logits = network(inputs)
        return torch.cat([logits[:, :1].detach(), logits[:, 1:]], dim=1)

    return answer


def _memory(network: Network) -> Network:
    """Answers as it did to the first volume that was alike, with a gradient of the volume at hand."""
    seen: list[tuple[Tensor, Tensor]] = []

    def answer(inputs: Tensor) -> Tensor:
        logits = network(inputs)
        for volume, said in seen:
            if float((inputs.detach() - volume).abs().max()) < 0.05 * float(BOX.width.max()):
                return logits + (said - logits).detach()
        seen.append((inputs.detach().clone(), logits.detach()))
        return logits

    return answer


def _moving_average(network: Network) -> Network:
    said: list[Tensor] = []

    def answer(inputs: Tensor) -> Tensor:
        logits = network(inputs)
        said.append(logits.detach())
        return 0.1 * logits + 0.9 * torch.stack(said).mean(dim=0)

    return answer


def _smooth_shift(inputs: Tensor) -> Tensor:
    """The same for all classes of a voxel, so that no label changes."""
    return F.avg_pool3d(inputs, 3, 1, 1)


def _blurred_without_grad(network: Network) -> Network:
    return lambda inputs: network(inputs if torch.is_grad_enabled() else _smooth_shift(inputs))


def _certain_background(network: Network) -> Network:
    """Smoothly larger logits where the background wins; no label changes."""

    def answer(inputs: Tensor) -> Tensor:
        logits = network(inputs)
        lead = F.relu(logits[:, :1] - logits[:, 1:].amax(dim=1, keepdim=True))
        return logits * (1 + 1000 * lead)

    return answer


def _one_hot(network: Network) -> Network:
    """Hard decisions whose backward pass pretends that they were logits."""

    def answer(inputs: Tensor) -> Tensor:
        logits = network(inputs)
        decided = F.one_hot(logits.argmax(1), logits.shape[1]).movedim(-1, 1).float()
        return logits + (20 * decided - 10 - logits).detach()

    return answer


def _thermometer(inputs: Tensor) -> Tensor:
    levels = torch.linspace(-2, 3, 41)[1:]
    return sum((inputs > level).float() for level in levels) * 0.125 - 2


_NO_GRADIENT: Callable[[Network], Network] = lambda network: (  # noqa: E731 (one of many)
    lambda inputs: network(inputs.detach()) + 0 * inputs.mean()
)

DEFECTS: dict[str, Callable[[Network], Network]] = {
    "logits times 100": lambda network: lambda inputs: 100 * network(inputs),
    "logits times 10,000": lambda network: lambda inputs: 10_000 * network(inputs),
    "softmax outputs": lambda network: lambda inputs: network(inputs).softmax(1),
    "sigmoid outputs": lambda network: lambda inputs: network(inputs).sigmoid(),
    "clamped outputs": lambda network: lambda inputs: network(inputs).clamp(-1, 1),
    "step functions": lambda network: lambda inputs: (network(inputs) * 2).round() / 2,
    "steps with a gradient": lambda network: lambda inputs: _Rounded.apply(network(inputs), 1.0),  # type: ignore[no-untyped-call]
    "quantised inputs": lambda network: lambda inputs: network((inputs * 8).round() / 8),
    "quantised inputs with a gradient": lambda network: lambda inputs: network(_Rounded.apply(inputs, 0.25)),  # type: ignore[no-untyped-call]
    "noise": _random_layer,
    "dropout": lambda network: lambda inputs: network(F.dropout(inputs, 0.3)),
    "noise hashed from the input": lambda network: (
        lambda inputs: network(inputs) + 0.5 * _noise_like(network(inputs), _hash(inputs))
    ),
    "input noise hashed from the input": lambda network: (
        lambda inputs: network(inputs + 0.1 * _noise_like(inputs, _hash(inputs)))
    ),
    "shattered": lambda network: lambda inputs: network(inputs + 0.02 * torch.sin(2000 * inputs)),
    "shattered within the ball": lambda network: lambda inputs: network(inputs + 0.06 * torch.sin(80 * inputs)),
    "no gradient": lambda network: lambda inputs: network(inputs.detach()) + 0 * inputs.mean(),
    "detached": lambda network: lambda inputs: network(inputs.detach()).detach(),
    "useless gradient": _gradient(lambda gradient: _noise_like(gradient, 0)),
    "flipped gradient": _gradient(torch.neg),
    "noisy gradient": _gradient(lambda gradient: gradient + 5 * gradient.std() * _noise_like(gradient, 1)),
    "gradient of one in ten voxels": _gradient(lambda gradient: gradient * (_noise_like(gradient, 2) > 1.3)),
    "gradient of another place": _gradient(lambda gradient: gradient.roll((3, 3, 3), (2, 3, 4))),
    "vanishing gradient": _gradient(lambda gradient: gradient * 1e-30),
    "NaN in the gradient": _gradient(lambda gradient: gradient.where(gradient.abs() < gradient.abs().max(), torch.nan)),
    "another network for gradients": _other_when_asked,
    "another answer at the second call": _second_call,
    "another answer from the third call on": _after_many_calls,
    "resized at random": lambda network: lambda inputs: network(_resized(inputs, int(torch.randint(1000, ())))),
    "resized by a factor hashed from the input": lambda network: (
        lambda inputs: network(_resized(inputs, _hash(inputs)))
    ),
    "compressed inputs": lambda network: lambda inputs: network(_compressed(inputs)),
    "compressed inputs with a gradient": lambda network: lambda inputs: network(_compressed_with_a_gradient(inputs)),
    "median of neighbours": lambda network: lambda inputs: network(_median_of_neighbours(inputs)),
    "squeezed outputs": lambda network: lambda inputs: torch.tanh(10 * network(inputs)),
    "hotter when attacked": _hotter_when_attacked,
    "no gradient away from clean volumes": _beyond(0.003, _NO_GRADIENT),
    "useless gradient away from clean volumes": _beyond(0.003, _gradient(lambda gradient: _noise_like(gradient, 0))),
    "flipped gradient away from clean volumes": _beyond(0.003, _gradient(torch.neg)),
    "NaN in the gradient away from clean volumes": _beyond(0.003, _gradient(lambda gradient: gradient * torch.nan)),
    "hotter away from clean volumes": _beyond(0.003, lambda network: lambda inputs: 1000 * network(inputs)),
    "clamped away from clean volumes": _beyond(0.003, lambda network: lambda inputs: network(inputs).clamp(-0.5, 0.5)),
    "gradient of every other slice": _every_other_slice,
    "no gradient in the organ": _organ_past_autograd,
    "no gradient of the background's logit": _background_past_autograd,
    "half of the inputs past autograd": lambda network: lambda inputs: network((inputs + inputs.detach()) / 2),
    "gradient times 1e30": _gradient(lambda gradient: gradient * 1e30),
    "gradient flipped in some voxels": _gradient(
        lambda gradient: torch.where(_noise_like(gradient, 4) > 0.5, -gradient, gradient)
    ),
    "memory of what was asked before": _memory,
    "moving average of answers": _moving_average,
    "blurred unless gradients are on": _blurred_without_grad,
    "background a thousand times as certain": _certain_background,
    "decisions with a gradient": _one_hot,
    "thermometer code": lambda network: lambda inputs: network(_thermometer(inputs)),
    "8-bit integers": lambda network: lambda inputs: (8 * network(inputs)).round().clamp(-128, 127).to(torch.int8),
    "clamped outputs and log-softmax": lambda network: lambda inputs: network(inputs).clamp(-1, 1).log_softmax(1),
    "clamped outputs under a shift": lambda network: (
        lambda inputs: network(inputs).clamp(-1, 1) + _smooth_shift(inputs)
    ),
    "steps with a gradient under a shift": lambda network: (
        lambda inputs: _Rounded.apply(network(inputs), 1.0) + 1000 * _smooth_shift(inputs)  # type: ignore[no-untyped-call]
    ),
    "noise under a large shift": lambda network: (
        lambda inputs: network(inputs) + 1e5 + 0.3 * torch.randn_like(network(inputs))
    ),
}
