"""Hooks: saving, schedule, history, progress, warnings."""

from rogseg.engine.training.hooks.history_hook import HistoryHook
from rogseg.engine.training.hooks.overfitting_hook import OverfittingHook
from rogseg.engine.training.hooks.plateau_hook import PlateauHook
from rogseg.engine.training.hooks.progress_hook import ProgressHook
from rogseg.engine.training.hooks.save_hook import SaveHook
from rogseg.engine.training.hooks.schedule_hook import ScheduleHook

__all__ = ["HistoryHook", "OverfittingHook", "PlateauHook", "ProgressHook", "SaveHook", "ScheduleHook"]
