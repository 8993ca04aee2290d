"""Trainers: what one mini-batch does to the weights, standard or adversarial."""

from rogseg.trainers.awp import AWPTrainer
from rogseg.trainers.base import Passes, Trainer, total_loss
from rogseg.trainers.fgsm import FGSMTrainer
from rogseg.trainers.free import FreeTrainer
from rogseg.trainers.nfgsm import NFGSMTrainer
from rogseg.trainers.overfitting_monitor import CatastrophicOverfittingMonitor
from rogseg.trainers.perturbation import PerturbationNeverMovedError
from rogseg.trainers.pgd import PGDTrainer
from rogseg.trainers.standard import StandardTrainer
from rogseg.trainers.trades import TRADESTrainer

__all__ = [
    "AWPTrainer",
    "CatastrophicOverfittingMonitor",
    "FGSMTrainer",
    "FreeTrainer",
    "NFGSMTrainer",
    "PGDTrainer",
    "Passes",
    "PerturbationNeverMovedError",
    "StandardTrainer",
    "TRADESTrainer",
    "Trainer",
    "total_loss",
]
