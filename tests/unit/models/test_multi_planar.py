"""MPUNet: its published size, planes that lie where they should, and an exact gradient through them."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from rogseg.engine.config.load import load_config
from rogseg.models.multi_planar import MultiPlanarSegmentor, PlanarUNet
from rogseg.models.multi_planar.views import (
    orthonormal_basis,
    sample_planes,
    to_voxels,
    view_vectors,
    voxel_offsets,
)
from rogseg.registry import MODELS

ROOT = Path(__file__).resolve().parents[3]
SPACING = torch.tensor([1.0, 1.5, 2.0], dtype=torch.float64)


def small_network(**options: object) -> MultiPlanarSegmentor:
    torch.manual_seed(0)
    backbone = {"type": "PlanarUNet", "in_channels": 1, "num_classes": 3, "width": 2, "depth": 1}
    return MultiPlanarSegmentor(backbone, 3, (1.0, 1.5, 2.0), [{"type": "CrossEntropyLoss"}], **options)  # type: ignore[arg-type]


def smooth_volume(*shape: int) -> Tensor:
    """(1, 1, *shape): linear in space, which linear interpolation reproduces exactly."""
    offsets = voxel_offsets(torch.empty(1, 1, *shape), SPACING)
    return (offsets @ torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64))[None, None]


def test_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        network = PlanarUNet(1, 2)
    trained = sum(parameter.numel() for parameter in network.parameters())
    statistics = sum(buffer.numel() for buffer in network.buffers() if buffer.ndim)
    assert (trained, trained + statistics) == (62_050_239, 62_061_277)


def test_any_two_views_are_sixty_degrees_apart_and_their_planes_are_perpendicular() -> None:
    vectors = view_vectors(6, seed=3)
    cosines = (vectors @ vectors.T).abs() - torch.eye(6, dtype=torch.float64)
    assert cosines.max() < 0.5
    for vector in vectors:
        basis = orthonormal_basis(vector)
        torch.testing.assert_close(basis @ basis.T, torch.eye(3, dtype=torch.float64))
        torch.testing.assert_close(basis[2], vector)
    with pytest.raises(ValueError, match="num_views is 7"):
        view_vectors(7, 0)


def test_a_plane_shows_the_voxels_that_it_passes() -> None:
    volume = torch.randn(1, 1, 5, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    basis = torch.eye(3, dtype=torch.float64)[[1, 2, 0]]
    planes = sample_planes(
        volume, basis, torch.ones(3, dtype=torch.float64), 1.0, torch.tensor([0.0, 1.0], dtype=torch.float64)
    )
    assert planes.shape == (1, 1, 2, 16, 16)
    # An even number of samples lies half a step off the centre, so interpolation gives means of four voxels.
    middle = volume[0, 0, 2]
    means = (middle[1:, 1:] + middle[:-1, 1:] + middle[1:, :-1] + middle[:-1, :-1]) / 4
    torch.testing.assert_close(planes[0, 0, 0, 6:10, 6:10], means)


def test_the_way_to_the_planes_and_back_keeps_a_linear_volume() -> None:
    volume = smooth_volume(6, 5, 7)
    for vector in view_vectors(6, seed=0):
        basis = orthonormal_basis(vector)
        planes = sample_planes(volume, basis, SPACING, 0.25)
        back = to_voxels(planes, basis, 0.25, voxel_offsets(volume, SPACING))
        # Only at the border, which continues outside, is a linear volume not linear.
        torch.testing.assert_close(back[..., 1:-1, 1:-1, 1:-1], volume[..., 1:-1, 1:-1, 1:-1], atol=1e-9, rtol=0)


def test_the_gradient_is_exact_and_the_fusion_weighs_views_and_classes() -> None:
    network = small_network(num_views=2).double().eval()
    nn.init.normal_(network.fusion_weight)
    nn.init.normal_(network.fusion_bias)
    inputs = torch.randn(1, 1, 3, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(network, inputs.requires_grad_(), eps=1e-6, atol=1e-6, fast_mode=True)
    with torch.no_grad():
        logits, weight, bias = network(inputs), network.fusion_weight.clone(), network.fusion_bias.clone()
        parts = []
        for view in range(2):
            network.fusion_weight.zero_()
            network.fusion_weight[view] = 1
            network.fusion_bias.zero_()
            parts.append(network(inputs))
            torch.testing.assert_close(parts[-1].sum(1), torch.ones_like(parts[-1].sum(1)))
        wanted = sum(weight[view, :, None, None, None] * parts[view] for view in range(2)) + bias[:, None, None, None]
    torch.testing.assert_close(logits, wanted)


@pytest.mark.parametrize("trained", ["planes", "fusion"])
def test_each_stage_trains_its_part_and_a_resumed_one_draws_the_same_planes(trained: str) -> None:
    network = small_network(trained=trained).train()
    inputs = torch.randn(2, 1, 6, 5, 6, generator=torch.Generator().manual_seed(0))
    targets = (inputs[:, 0] > 1).long()
    statistics = {name: value.clone() for name, value in network.planar.named_buffers()}
    network(inputs, targets, mode="loss")["loss_ce"].backward()
    fused = [network.fusion_weight, network.fusion_bias]
    assert all((parameter.grad is None) == (trained == "planes") for parameter in fused)
    assert all((parameter.grad is None) == (trained == "fusion") for parameter in network.planar.parameters())
    moved = [not torch.equal(value, statistics[name]) for name, value in network.planar.named_buffers()]
    assert all(moved) if trained == "planes" else not any(moved)
    resumed = copy.deepcopy(network)
    first, second = (one(inputs, targets, mode="loss")["loss_ce"] for one in (network, resumed))
    assert first == second


@pytest.mark.parametrize("trained", ["planes", "fusion"])
def test_shapes_alone_are_enough_to_count_a_training_step(trained: str) -> None:
    network = small_network(trained=trained).train().to("meta")
    labels = torch.zeros(1, 9, 9, 9, dtype=torch.long, device="meta")
    (loss,) = network.terms(torch.zeros(1, 1, 9, 9, 9, device="meta"), labels).values()
    assert loss.is_meta


def test_the_planes_are_those_of_the_seed() -> None:
    labels = torch.arange(729).reshape(1, 9, 9, 9)

    def drawn(seed: int, passes: int) -> list[Tensor]:
        network = small_network().train()
        torch.manual_seed(seed)
        return [network._random_planes(torch.zeros(1, 1, 9, 9, 9), labels)[1] for _ in range(passes)]

    first, again, other = drawn(1, 2), drawn(1, 2), drawn(2, 2)
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    for one, another in ((first[0], first[1]), (first[0], other[0]), (first[1], other[1])):
        assert one.shape != another.shape or not torch.equal(one, another)


def test_planes_through_foreground_carry_its_labels() -> None:
    network = small_network(planes_per_case=8).train()
    targets = torch.zeros(1, 9, 9, 9, dtype=torch.long)
    targets[0, 4, 4, 4] = 2
    _, labels = network._random_planes(torch.zeros(1, 1, 9, 9, 9), targets)
    assert set(labels.flatten().tolist()) == {0, 2}
    assert (labels[0, :4] == 2).flatten(1).any(1).all()


@pytest.mark.parametrize("name", ["mpunet_standard_liver", "mpunet_fusion_hippocampus", "mpunet_freeat_braintumour"])
def test_configs_build_and_give_logits_of_their_task(name: str) -> None:
    config = load_config(name)
    with torch.device("meta"):
        network = MODELS.build(config.model).eval()
        window = torch.zeros(1, config.model.backbone.in_channels, *(min(n, 24) for n in config.task.patch_size))
        with torch.no_grad():
            logits = network(window)
    assert logits.shape == (1, len(config.task.label_values), *window.shape[2:])


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "configs/mpunet").glob("*_*_*.py")))
def test_the_configs_of_the_ten_tasks_load(name: str) -> None:
    assert load_config(name).model.type == "MultiPlanarSegmentor"


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(ValueError, match=r"model\.trained is 'views', known are 'planes' and 'fusion'"):
        small_network(trained="views")
