import io

from rich.console import Console

from rogseg.progress import ProgressDisplay


class Clock:
    """Stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def display(clock: Clock) -> tuple[ProgressDisplay, io.StringIO]:
    file = io.StringIO()
    return ProgressDisplay("pgd", console=Console(file=file), clock=clock), file


def test_without_a_terminal_a_line_comes_now_and_then_with_the_time_left() -> None:
    clock = Clock()
    shown, file = display(clock)
    with shown:
        for done in range(11):
            shown.update(done, 20)
            clock.now += 20
    assert file.getvalue().splitlines() == [
        "pgd: 3 of 20 in 0:01:00, 0:05:40 left",
        "pgd: 6 of 20 in 0:02:00, 0:04:40 left",
        "pgd: 9 of 20 in 0:03:00, 0:03:40 left",
    ]


def test_another_job_is_counted_anew() -> None:
    clock = Clock()
    shown, file = display(clock)
    with shown:
        shown.update(0, 3)
        clock.now += 30
        shown.update(3, 3)
        shown.begin("checks")
        shown.say("checks begin: about 40 passes")
        shown.update(0, 40)
        clock.now += 60
        shown.update(10, 40)
    assert file.getvalue().splitlines() == [
        "checks begin: about 40 passes",
        "checks: 10 of 40 in 0:01:00, 0:03:00 left",
    ]


def test_what_was_done_before_counts_as_done_and_not_as_time() -> None:
    clock = Clock()
    shown, _ = display(clock)
    with shown:
        clock.now += 500  # until the job knows what there is to do
        shown.update(14, 20)
        assert shown.line() == "pgd: 14 of 20 in 0:00:00"
        clock.now += 30
        shown.update(16, 20)
        assert shown.line() == "pgd: 16 of 20 in 0:00:30, 0:01:00 left"


def test_another_line_stands_in_for_one_of_progress() -> None:
    clock = Clock()
    shown, file = display(clock)
    with shown:
        shown.update(0, 5)
        clock.now += 59
        shown.say("epoch [1/5]")
        clock.now += 59
        shown.update(1, 5)
    assert file.getvalue() == "epoch [1/5]\n"


def test_a_terminal_shows_a_bar() -> None:
    file = io.StringIO()
    with ProgressDisplay("pgd", console=Console(file=file, force_terminal=True, width=80)) as shown:
        shown.update(3, 3)
    assert "3 of 3" in file.getvalue()
