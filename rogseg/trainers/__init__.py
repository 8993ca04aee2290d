"""Trainers: what one mini-batch does to the weights, standard or adversarial."""

from rogseg.trainers.adversarial import AdversarialTrainer
from rogseg.trainers.awp import AWPTrainer
from rogseg.trainers.base import Passes, Trainer, seeded, total_loss
from rogseg.trainers.free import FreeTrainer
from rogseg.trainers.perturbation import PerturbationNeverMovedError
from rogseg.trainers.seat import SEATTrainer
from rogseg.trainers.standard import StandardTrainer

__all__ = [
    "AWPTrainer",
    "AdversarialTrainer",
    "FreeTrainer",
    "Passes",
    "PerturbationNeverMovedError",
    "SEATTrainer",
    "StandardTrainer",
    "Trainer",
    "seeded",
    "total_loss",
]
