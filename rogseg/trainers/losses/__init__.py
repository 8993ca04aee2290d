"""Robust losses: what an adversarial training minimises on clean and on crafted volumes."""

from rogseg.trainers.losses.adversarial_loss import AdversarialLoss
from rogseg.trainers.losses.base import RobustLoss
from rogseg.trainers.losses.mart import MART
from rogseg.trainers.losses.trades import TRADES

__all__ = ["MART", "TRADES", "AdversarialLoss", "RobustLoss"]
