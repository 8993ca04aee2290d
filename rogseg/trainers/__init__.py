"""Trainers: what one mini-batch does to the weights, standard or adversarial."""

from rogseg.trainers.base import Batch, Trainer, total_loss
from rogseg.trainers.free import FreeTrainer
from rogseg.trainers.perturbation import PerturbationNeverMovedError
from rogseg.trainers.standard import StandardTrainer

__all__ = [
    "Batch",
    "FreeTrainer",
    "PerturbationNeverMovedError",
    "StandardTrainer",
    "Trainer",
    "total_loss",
]
