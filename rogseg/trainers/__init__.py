"""Trainers: what one mini-batch does to the weights, standard or adversarial."""

from rogseg.trainers.base import Batch, Trainer, total_loss
from rogseg.trainers.standard import StandardTrainer

__all__ = ["Batch", "StandardTrainer", "Trainer", "total_loss"]
