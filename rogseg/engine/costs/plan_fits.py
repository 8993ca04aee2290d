"""Whether a plan can be trained on in so much memory, counted before anything is preprocessed for it."""

import tempfile
from collections.abc import Callable

from rogseg.engine.config.load import load_config
from rogseg.estimation.sizes import parse_memory
from rogseg.estimation.training_memory import gpu_memory_estimate
from rogseg.registry import MODELS, TRAINERS
from rogseg.shipped_configs import find_config
from rogseg.storage import write_plan
from rogseg.task_plan import TaskPlan

__all__ = ["fits_memory"]


def fits_memory(memory: str) -> Callable[[TaskPlan], bool]:
    """Ask a plan whether a training step of ``rog_standard`` with its batch size fits.

    Args:
        memory: such as ``8GB``; what `rogseg estimate` counts for a GPU in float32 is held against it.

    Raises:
        ValueError: it is no amount of memory.
    """
    budget = parse_memory("--max-memory", memory)

    def fits(plan: TaskPlan) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            write_plan(folder, plan)
            config = load_config(find_config("rog_standard"), [], folder)
        trainer, model = TRAINERS.build(dict(config.trainer)), MODELS.build(config.model).train()
        estimate = gpu_memory_estimate(model, trainer, plan, config.optim_wrapper, plan.patch_size, budget)
        return estimate.needed.of_batch(config.train_data["batch_size"]) <= budget

    return fits
