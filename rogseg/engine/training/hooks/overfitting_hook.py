"""OverfittingHook: warns when a network has learned to fool single steps only."""

import logging

from mmengine.hooks import Hook

from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.registry import HOOKS

__all__ = ["CatastrophicOverfittingMonitor", "OverfittingHook"]


class CatastrophicOverfittingMonitor:
    """Watches the losses of one and of several ascent steps on held-out cases, of one objective and one epsilon.

    Args:
        tolerance: how far, as a fraction, the loss after several steps may rise above its lowest value so far.

    Raises:
        ValueError: tolerance is negative.

    Source: the phenomenon is described by Wong et al., "Fast is better than free", ICLR 2020, and Andriushchenko and
    Flammarion, "Understanding and Improving Fast Adversarial Training", NeurIPS 2020; the rule is ours.
    """

    def __init__(self, tolerance: float = 0.1) -> None:
        if tolerance < 0:
            raise ValueError(f"tolerance={tolerance} must not be negative")
        self.tolerance = tolerance
        self.best: tuple[float, float] | None = None  # (single step, several steps) when the latter was lowest

    def observe(self, single_step_loss: float, multi_step_loss: float) -> str | None:
        """Compare with the best look so far: a warning, or None.

        It warns when several steps reach a loss above its lowest by more than the tolerance while one step reaches less
        than it did then.
        """
        if self.best is None or multi_step_loss < self.best[1]:
            self.best = (single_step_loss, multi_step_loss)
            return None
        single_then, multi_then = self.best
        if single_step_loss < single_then and multi_step_loss > multi_then * (1 + self.tolerance):
            return (
                "catastrophic overfitting: on held-out cases the loss after one ascent step fell from "
                f"{single_then:.4f} to {single_step_loss:.4f} while that after several rose from {multi_then:.4f} to "
                f"{multi_step_loss:.4f}; take the best robust checkpoint, and train with a smaller "
                "step, more noise or more steps"
            )
        return None


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
