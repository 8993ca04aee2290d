"""Learning rates and weight decays of single weights, where every name that a config gives must be one."""

from collections.abc import Mapping
from typing import Any

from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from torch import nn

from rogseg.command_line import nearest
from rogseg.registry import OPTIM_WRAPPER_CONSTRUCTORS

__all__ = ["CheckedOptimWrapperConstructor"]

# Not dwconv_decay_mult and dcn_offset_lr_mult, which MMEngine applies to layers of two dimensions only.
KEYS = ("bias_lr_mult", "bias_decay_mult", "norm_decay_mult", "flat_decay_mult", "bypass_duplicate", "custom_keys")
FACTORS = ("lr_mult", "decay_mult")
WHERE = "optim_wrapper.paramwise_cfg"


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(name="DefaultOptimWrapperConstructor")
class CheckedOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """MMEngine's, which passes over every name that it does not know.

    Args:
        optim_wrapper_cfg: config of precision and optimiser.
        paramwise_cfg: factors by kind of weight, and ``custom_keys``: part of a weight's name -> its factors.

    Raises:
        ValueError: an unknown key, or a factor of a weight decay that the optimiser does not have.
    """

    def __init__(self, optim_wrapper_cfg: dict[str, Any], paramwise_cfg: dict[str, Any] | None = None) -> None:
        chosen = paramwise_cfg or {}
        _refuse_unknown(WHERE, chosen, KEYS)
        for name, factors in chosen.get("custom_keys", {}).items():
            _refuse_unknown(f"{WHERE}.custom_keys.{name}", factors, FACTORS)
        decays = [key for key in chosen if key.endswith("decay_mult")]
        if decays and "weight_decay" not in optim_wrapper_cfg["optimizer"]:
            raise ValueError(f"{WHERE}.{decays[0]} is a factor of optim_wrapper.optimizer.weight_decay: give that, too")
        super().__init__(optim_wrapper_cfg, paramwise_cfg)

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """The optimiser of a network.

        Raises:
            ValueError: no weight has a name that one of the custom keys is part of.
        """
        weights = [name for name, _ in model.named_parameters()]
        for key in self.paramwise_cfg.get("custom_keys", {}):
            if not any(key in weight for weight in weights):
                parts = {part for weight in weights for part in weight.split(".")}
                raise ValueError(f"{WHERE}.custom_keys: no weight has {key!r} in its name: {nearest(key, parts)}")
        return super().__call__(model)


def _refuse_unknown(where: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in given:
        if key not in known:
            raise ValueError(f"{where}.{key} is no key of it: {nearest(key, known)}")
