"""Whether a system has seen the cases that it is evaluated on."""

from collections.abc import Sequence

from rogseg.engine.model.open_system import OpenedSystem
from rogseg.evaluation.identity import HELD_OUT, NOT_KNOWN

__all__ = ["leak_of"]


def leak_of(opened: OpenedSystem, case_ids: Sequence[str], task: str, *, allow_seen: bool) -> str:
    """What the system had seen of some cases, in words, for the record.

    Args:
        opened: the system; one that does not say what it was trained on is ``not known``.
        case_ids: to be reported on.
        task: that they belong to.
        allow_seen: whether cases that it was trained or selected on may be reported on, labelled so.

    Raises:
        ValueError: the system was trained or selected on cases, and nobody asked for that.
    """
    if opened.lineage is None:
        return NOT_KNOWN
    seen = opened.lineage.seen_of(case_ids, task)
    alike = opened.lineage.seen_names(case_ids)
    if alike and not seen:
        # A copy of the task under another name, or another task whose cases have the same names: nobody knows.
        return f"{NOT_KNOWN}, {len(alike)} of {len(case_ids)} cases are called as some of a task that it has seen"
    if not seen:
        return HELD_OUT if opened.lineage.is_start_known else "not known of the network that it started from"
    if not allow_seen:
        listed = ", ".join(seen[:5]) + (", ..." if len(seen) > 5 else "")
        raise ValueError(
            f"{opened.system.identity.name} was trained or selected on {len(seen)} of these {len(case_ids)} cases "
            f"({listed}), so numbers on them say nothing of new cases: take cases of the validation part of its fold, "
            "or pass --allow-seen to report on them, labelled so"
        )
    return f"trained or selected on {len(seen)} of {len(case_ids)} cases"
