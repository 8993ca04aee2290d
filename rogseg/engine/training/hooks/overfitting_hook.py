"""OverfittingHook: warns when a network has learned to fool single steps only."""

import logging

from mmengine.hooks import Hook

from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.registry import HOOKS
from rogseg.trainers import CatastrophicOverfittingMonitor

__all__ = ["OverfittingHook"]


@HOOKS.register_module()
class OverfittingHook(Hook):
    """Shows the losses of robust validation to a `CatastrophicOverfittingMonitor`; without them it does nothing.

    Args:
        tolerance: see the monitor.
    """

    priority = "LOW"

    def __init__(self, tolerance: float = 0.1) -> None:
        self.tolerance = tolerance

    def after_train_epoch(self, runner: TrainingRunner) -> None:
        """Show it the history, which is in the checkpoint, and log what it says of the epoch that ends."""
        monitor, warning = CatastrophicOverfittingMonitor(self.tolerance), None
        history = runner.train_loop.history
        if "single_step_loss" not in history[-1] or runner.rank != 0:
            return
        for record in history:
            if "single_step_loss" in record:
                warning = monitor.observe(record["single_step_loss"], record["robust_loss"])
        if warning is not None:
            runner.logger.log(logging.WARNING, f"epoch {history[-1]['epoch']:.0f}: {warning}")
