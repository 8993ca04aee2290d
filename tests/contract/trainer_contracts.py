"""How the contract tests build each registered trainer, craft and robust loss, and what cannot be said of every one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mmengine.registry import Registry

from rogseg.registry import CRAFTS, ROBUST_LOSSES, TRAINERS
from rogseg.trainers import Trainer

Config = dict[str, Any]


@dataclass(frozen=True)
class TrainerContract:
    """What to expect of a trainer.

    Args:
        config: epsilon -> its config.
        seeks: what its perturbations are to make as large as the ball and the box admit: the ``margin`` of the wrong
            class, the ``divergence`` from the clean prediction, or ``nothing``.
        share: least part of the way there that it goes on a linear model.
        radius: how far from the clean volume it may train, in epsilons.
        standard_at_zero: whether epsilon 0 makes it standard training, ``bitwise`` or but for rounding.
        is_passes_mean: whether the passes it tells are those of a mean mini-batch.
    """

    config: Callable[[float], Config]
    seeks: Literal["margin", "divergence", "nothing"] = "margin"
    share: float = 0.99
    radius: float = 1.0
    standard_at_zero: Literal["bitwise", "nearly", "no"] = "bitwise"
    is_passes_mean: bool = False

    def build(self, epsilon: float) -> Trainer:
        """The trainer with this epsilon."""
        trainer: Trainer = TRAINERS.build(self.config(epsilon))
        return trainer

    @property
    def perturbs(self) -> bool:
        """Whether it trains on anything but clean volumes."""
        return self.seeks != "nothing"


def adversarial(craft: Config, epsilon: float, loss: str = "AdversarialLoss") -> Config:
    return {"type": "AdversarialTrainer", "craft": craft, "loss": {"type": loss}, "epsilon": epsilon}


def free(num_replays: int, epsilon: float) -> Config:
    return {"type": "FreeTrainer", "num_replays": num_replays, "epsilon": epsilon}


PGD = {"type": "PGDCraft", "num_iterations": 4}
NOISE = {**PGD, "start": "noise"}
MIXED = {**PGD, "clean_fraction": 0.5}

CONTRACTS: dict[str, TrainerContract] = {
    "standard": TrainerContract(lambda epsilon: {"type": "StandardTrainer"}, seeks="nothing"),
    "free": TrainerContract(lambda epsilon: free(3, epsilon)),
    "seat": TrainerContract(lambda epsilon: {"type": "SEATTrainer", "trainer": free(1, epsilon), "interval": 1}),
    "pgd": TrainerContract(lambda epsilon: adversarial({**PGD}, epsilon)),
    "pgd_mixed": TrainerContract(lambda epsilon: adversarial({**MIXED}, epsilon), share=0, is_passes_mean=True),
    "fgsm": TrainerContract(lambda epsilon: adversarial({"type": "FGSMCraft"}, epsilon), share=0.75),
    "nfgsm": TrainerContract(lambda epsilon: adversarial({"type": "NFGSMCraft"}, epsilon), share=0.6, radius=3),
    "trades": TrainerContract(
        lambda epsilon: adversarial({**NOISE}, epsilon, "TRADES"),
        seeks="divergence",
        share=0.8,
        standard_at_zero="nearly",
    ),
    "mart": TrainerContract(lambda epsilon: adversarial({**PGD}, epsilon, "MART"), standard_at_zero="no"),
    "awp": TrainerContract(
        lambda epsilon: {"type": "AWPTrainer", "trainer": adversarial({**PGD}, epsilon)}, standard_at_zero="no"
    ),
    "awp_trades": TrainerContract(
        lambda epsilon: {"type": "AWPTrainer", "trainer": adversarial({**NOISE}, epsilon, "TRADES")},
        seeks="divergence",
        share=0.8,
        standard_at_zero="no",
    ),
}


def without_contract(registry: Registry, contracts: Mapping[str, TrainerContract]) -> set[str]:
    """Names that the project itself registered and that no config of the table builds."""
    registry.import_from_location()
    own = {name for name, component in registry.module_dict.items() if component.__module__.startswith("rogseg.")}
    return own - {name for contract in contracts.values() for name in types_in(contract.config(0.1))}


def types_in(config: Any) -> Iterator[str]:
    """Every ``type`` of a config, those of its parts included."""
    if isinstance(config, dict):
        if "type" in config:
            yield config["type"]
        for value in config.values():
            yield from types_in(value)


REGISTRIES = {"trainer": TRAINERS, "craft": CRAFTS, "robust loss": ROBUST_LOSSES}
