"""nnU-Net's networks as backbones: as deep as nnU-Net itself makes them, and trained with all their heads."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from rogseg.engine.config.load import load_config
from rogseg.models.backbones import PlainConvUNet, ResidualEncoderUNet
from rogseg.models.backbones.unet_planning import plan_topology
from rogseg.models.segmentor import Segmentor
from rogseg.models.supervision import coarse_targets, halving_weights
from rogseg.registry import MODELS

pytest.importorskip("dynamic_network_architectures")
ROOT = Path(__file__).resolve().parents[3]


def test_stages_strides_and_kernels_are_those_that_nnunet_plans() -> None:
    topology = pytest.importorskip("nnunetv2.experiment_planning.experiment_planners.network_topology")
    generator = np.random.default_rng(0)
    depths = set()
    for _ in range(300):
        # Multiples of 64 stay even as long as they may be halved, so that nnU-Net has nothing to pad.
        patch = (generator.choice([1, 2, 3, 4], 3) * 64).tolist()
        spacing = generator.choice([0.5, 0.8, 1.0, 1.37, 2.5, 5.0, 7.0], 3).tolist()
        _, strides, kernels, padded, divisor = topology.get_pool_and_conv_props(spacing, patch, 4, 999999)
        planned = plan_topology(patch, spacing)
        assert planned.strides == strides
        assert planned.kernels == kernels
        assert list(padded) == patch
        assert planned.divisor == tuple(divisor)
        depths.add(len(planned.strides))
    assert len(depths) > 2


def test_odd_lengths_and_short_axes_are_left_alone() -> None:
    assert plan_topology((8, 8, 8), (1, 1, 1)).strides == ((1, 1, 1), (2, 2, 2))
    assert plan_topology((8, 9, 7), (1, 1, 1)).strides == ((1, 1, 1),)  # one axis alone would keep four of six voxels
    assert plan_topology((12, 9, 7), (1, 1, 1)).strides == ((1, 1, 1), (2, 1, 1))
    assert plan_topology((16, 16, 16), (1, 1, 2.5)).strides == ((1, 1, 1), (2, 2, 1), (2, 2, 2))
    assert plan_topology((16, 16, 16), (1, 1, 2.5)).kernels == ((3, 3, 1), (3, 3, 3), (3, 3, 3))
    assert plan_topology((64, 64, 64), (1, 1, 1)).features == (32, 64, 128, 256, 320)


@pytest.mark.parametrize(("backbone", "kind"), [(PlainConvUNet, "plain"), (ResidualEncoderUNet, "resenc")])
def test_the_network_is_the_one_that_nnunet_builds_of_its_own_plan(backbone: type, kind: str) -> None:
    unet = pytest.importorskip("dynamic_network_architectures.architectures.unet")
    # The plan that nnU-Net's own planners make for hippocampus.
    repeats = (
        {"n_conv_per_stage": [2, 2, 2, 2], "n_conv_per_stage_decoder": [2, 2, 2]}
        if kind == "plain"
        else {"n_blocks_per_stage": [1, 3, 4, 6], "n_conv_per_stage_decoder": [1, 1, 1]}
    )
    with torch.device("meta"):
        expected = getattr(unet, backbone.__name__)(
            input_channels=1,
            num_classes=3,
            n_stages=4,
            features_per_stage=[32, 64, 128, 256],
            conv_op=torch.nn.Conv3d,
            kernel_sizes=[[3, 3, 3]] * 4,
            strides=[[1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2]],
            conv_bias=True,
            norm_op=torch.nn.InstanceNorm3d,
            norm_op_kwargs={"eps": 1e-5, "affine": True},
            nonlin=torch.nn.LeakyReLU,
            nonlin_kwargs={"inplace": True},
            **repeats,
        )
        built = backbone(1, 3, (40, 56, 40), (1.0, 1.0, 1.0))
    shapes = {name: value.shape for name, value in expected.state_dict().items()}
    assert {name: value.shape for name, value in built.network.state_dict().items()} == shapes


def test_every_head_but_the_coarsest_is_trained_each_half_as_much_as_the_finer_one() -> None:
    model = Segmentor(
        {"type": "PlainConvUNet", "in_channels": 1, "num_classes": 3, "patch_size": (32, 32, 32), "spacing": (1, 1, 1)},
        {"type": "LogitPyramidHead", "num_classes": 3},
        [{"type": "CrossEntropyLoss"}],
    )
    generator = torch.Generator().manual_seed(0)
    inputs, targets = torch.randn(1, 1, 16, 16, 16, generator=generator), torch.zeros(1, 16, 16, 16, dtype=torch.long)
    targets[:, :5] = 2
    outputs = model.backbone(inputs)
    assert [tuple(logits.shape[2:]) for logits in outputs] == [(16, 16, 16), (8, 8, 8), (4, 4, 4)]
    assert torch.equal(model(inputs), outputs[0])
    terms = [torch.nn.functional.cross_entropy(outputs[0], targets)]
    terms.append(torch.nn.functional.cross_entropy(outputs[1], targets[:, 1::2, 1::2, 1::2]))
    loss = model(inputs, targets, mode="loss")["loss_ce"]
    torch.testing.assert_close(loss, 2 / 3 * terms[0] + 1 / 3 * terms[1])
    loss.backward()
    *heads, coarsest = reversed(list(model.backbone.network.decoder.seg_layers))
    assert all(head.weight.grad is not None for head in heads)
    assert coarsest.weight.grad is None
    # Processes that train together wait for the gradient of every weight that asks for one.
    assert all((weight.grad is not None) == weight.requires_grad for weight in model.parameters())


def test_coarse_targets_are_what_lies_at_the_centres() -> None:
    targets = torch.arange(6).reshape(1, 1, 1, 6)
    assert coarse_targets(targets, (1, 1, 2)).flatten().tolist() == [1, 4]
    assert coarse_targets(targets, (1, 1, 6)) is targets
    assert halving_weights(1) == (1.0,)
    assert halving_weights(4) == (4 / 7, 2 / 7, 1 / 7, 0.0)


def test_wrong_windows_and_heads_and_a_missing_extra_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        backbone = PlainConvUNet(1, 2, (16, 16, 16), (1, 1, 1))
        with pytest.raises(ValueError, match=r"whole multiples of \(4, 4, 4\)"):
            backbone(torch.zeros(1, 1, 6, 8, 8))
    with pytest.raises(ValueError, match=r"patch_size \[7, 8, 7\] is too small"):
        PlainConvUNet(1, 2, (7, 8, 7), (1, 1, 1))
    head = Segmentor(
        {"type": "UNetPlusPlus", "in_channels": 1, "filters": (2, 2)}, {"type": "LogitPyramidHead", "num_classes": 3}
    )
    with pytest.raises(ValueError, match=r"model\.backbone gives .* needs a list of logits of 3 classes"):
        head(torch.zeros(1, 1, 4, 4, 4))
    monkeypatch.setitem(sys.modules, "dynamic_network_architectures.architectures", None)
    with pytest.raises(ValueError, match=r"pip install 'rogseg\[nnunet\]'"):
        ResidualEncoderUNet(1, 2, (16, 16, 16), (1, 1, 1))


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "configs/nnunet").glob("*_*_*.py")))
def test_the_configs_of_the_ten_tasks_fit_their_plans(name: str) -> None:
    config = load_config(name)
    backbone, task = config.model.backbone, config.task
    assert (backbone.in_channels, backbone.num_classes) == (len(task.channels), len(task.label_values))
    assert config.model.head.num_classes == backbone.num_classes
    divisor = plan_topology(backbone.patch_size, backbone.spacing).divisor
    for size in (task.patch_size, task.window_size):
        assert all(length % factor == 0 for length, factor in zip(size, divisor, strict=True))


@pytest.mark.parametrize("name", ["plain_standard_prostate", "resenc_freeat_prostate"])
def test_a_config_builds_its_network(name: str) -> None:
    config = load_config(name)
    with torch.device("meta"):
        logits = MODELS.build(config.model).eval()(torch.zeros(1, 2, *config.task.window_size))
    assert logits.shape == (1, 3, *config.task.window_size)
