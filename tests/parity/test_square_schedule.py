import json

from rogseg.attacks.square.square import changed_fraction
from tests.shared_data import shared_path


def test_schedule_is_that_of_the_reference_at_every_budget() -> None:
    reference = json.loads(shared_path("reference/square_schedule.json").read_text())
    compared = 0
    for num_queries, fractions in reference["schedule"].items():
        for iteration, expected in fractions.items():
            assert changed_fraction(int(iteration), int(num_queries), reference["p_init"]) == expected
            compared += 1
    assert compared == sum(len(fractions) for fractions in reference["schedule"].values()) > 100
