"""Hooks: saving, schedule, history, progress, warnings."""

from rogseg.engine.hooks.history_hook import HistoryHook
from rogseg.engine.hooks.overfitting_hook import OverfittingHook
from rogseg.engine.hooks.plateau_hook import PlateauHook
from rogseg.engine.hooks.progress_hook import ProgressHook
from rogseg.engine.hooks.save_hook import SaveHook

__all__ = ["HistoryHook", "OverfittingHook", "PlateauHook", "ProgressHook", "SaveHook"]
