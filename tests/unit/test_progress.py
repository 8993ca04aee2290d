import io

from rich.console import Console

from rogseg.progress import ProgressDisplay


class Clock:
    """Stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def display(clock: Clock, total: int, done: int = 0) -> tuple[ProgressDisplay, io.StringIO]:
    file = io.StringIO()
    return ProgressDisplay("pgd", total, done=done, console=Console(file=file), clock=clock), file


def test_without_a_terminal_a_line_comes_now_and_then_with_the_time_left() -> None:
    clock = Clock()
    shown, file = display(clock, 20)
    with shown:
        for _ in range(10):
            clock.now += 20
            shown.advance()
    assert file.getvalue().splitlines() == [
        "pgd: 3 of 20 in 0:01:00, 0:05:40 left",
        "pgd: 6 of 20 in 0:02:00, 0:04:40 left",
        "pgd: 9 of 20 in 0:03:00, 0:03:40 left",
    ]


def test_what_was_done_before_counts_as_done_and_not_as_time() -> None:
    clock = Clock()
    shown, _ = display(clock, 20, done=10)
    with shown:
        shown.skip(4)
        assert shown.seconds_left is None
        clock.now += 30
        shown.advance(2)
        assert shown.seconds_left == 30 / 2 * 4


def test_another_line_stands_in_for_one_of_progress() -> None:
    clock = Clock()
    shown, file = display(clock, 5)
    with shown:
        clock.now += 59
        shown.say("epoch [1/5]")
        clock.now += 59
        shown.advance()
    assert file.getvalue() == "epoch [1/5]\n"


def test_a_terminal_shows_a_bar() -> None:
    file = io.StringIO()
    with ProgressDisplay("pgd", 3, console=Console(file=file, force_terminal=True, width=80)) as shown:
        shown.advance(3)
    assert "3/3" in file.getvalue()
    assert max(len(line) for line in file.getvalue().splitlines()) < 300
