"""Weights come back as they were saved; anything else is refused with the reason."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from rogseg.models.checkpoints import assign_weights, read_checkpoint


def make_network() -> nn.Module:
    return nn.Sequential(nn.Conv3d(1, 2, 3), nn.InstanceNorm3d(2, affine=True))


def load_weights(network: nn.Module, path: Path) -> None:
    assign_weights(network, read_checkpoint(path)["state_dict"], path)


@pytest.mark.parametrize("form", ["run", "bare", "wrapped", "safetensors"])
def test_weights_of_every_form_are_loaded(tmp_path: Path, form: str) -> None:
    source, network = make_network(), make_network()
    state = source.state_dict()
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pth")
    if form == "safetensors":
        save_file(state, path)
    else:
        wrapped = {f"module.{name}": value for name, value in state.items()}
        torch.save({"run": {"state_dict": state, "meta": {}}, "bare": state, "wrapped": wrapped}[form], path)
    load_weights(network, path)
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name])


def test_what_is_no_fitting_checkpoint_is_refused(tmp_path: Path) -> None:
    network, path = make_network(), tmp_path / "weights.pth"
    with pytest.raises(ValueError, match="no such checkpoint"):
        load_weights(network, path)
    for content in (b"", b"not a checkpoint"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a checkpoint of tensors"):
            load_weights(network, path)
    path.with_suffix(".safetensors").write_bytes(b"torn")
    with pytest.raises(ValueError, match="not a checkpoint of tensors"):
        load_weights(network, path.with_suffix(".safetensors"))
    torch.save({"code": Path}, path)
    with pytest.raises(ValueError, match="not a checkpoint of tensors"):
        load_weights(network, path)
    torch.save({"state_dict": {"0.weight": torch.zeros(2, 1, 3, 3, 3)}}, path)
    with pytest.raises(ValueError, match=r"it lacks 0\.bias, 1\.bias, 1\.weight \(3 in all\)"):
        load_weights(network, path)
    torch.save({**network.state_dict(), "0.bias": torch.zeros(5)}, path)
    with pytest.raises(ValueError, match=r"of another shape are 0\.bias"):
        load_weights(network, path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(ValueError, match="holds no weights"):
        load_weights(network, path)
