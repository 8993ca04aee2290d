from rogseg.engine.training.hooks.history_hook import draw_curves
from rogseg.engine.training.hooks.progress_hook import epoch_line

COMMON = {"lr": 1e-3, "data_wait": 0.01}
HISTORY: list[dict[str, float]] = [
    {**COMMON, "epoch": 1, "loss": 1.5, "val_loss": 1.6, "seconds": 10.0, "dice": 0.7, "score": 0.7},
    {**COMMON, "epoch": 2, "loss": 1.2, "seconds": 20.0},
    {**COMMON, "epoch": 3, "loss": 1.0, "val_loss": 1.1, "seconds": 8.0, "dice": 0.6, "score": 0.6},
]


def test_the_line_of_an_epoch_has_losses_dice_speed_and_time_left() -> None:
    assert epoch_line(HISTORY, 10, 20, 3661.2) == (
        "epoch 3/10  loss 1.0000  val_loss 1.1000  dice 0.6000 (highest 0.7000)  2.50 it/s  waits 1.0%  left 1:01:01"
    )
    assert "dice" not in epoch_line(HISTORY[:2], 10, 20, 1.0)


def test_curves_are_a_png_whatever_the_epochs_have() -> None:
    assert draw_curves(HISTORY)[:8] == b"\x89PNG\r\n\x1a\n"
