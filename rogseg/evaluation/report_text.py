"""What an evaluation says in words and tables, whatever it is of: a test, an attack or a corruption."""

from collections.abc import Mapping
from typing import Any

from rogseg.evaluation.accuracy_table import accuracy_table
from rogseg.evaluation.certificate_table import certificate_tables
from rogseg.evaluation.corruption_table import corruption_tables
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.robustness_table import robustness_tables
from rogseg.evaluation.text_table import TextTable

__all__ = ["evaluation_tables", "evaluation_title"]


def evaluation_title(identity: EvaluationIdentity) -> str:
    """What was evaluated, how and on what, in a line."""
    condition = identity.condition
    if condition is None:
        done = "accuracy without attack or corruption"
    else:
        done = condition.name if condition.name.startswith(condition.kind) else f"{condition.kind} {condition.name}"
        if condition.kind == "transfer":
            done += f" of volumes made on {condition.config['surrogate']['name']}"
    parts = [
        identity.task,
        done,
        f"protocol {identity.protocol}",
        f"cases: {identity.selection.rule}",
    ]
    if identity.criterion is not None:
        mu, source, cases = identity.criterion.mu, identity.criterion.mu_source, identity.criterion.mu_cases
        parts.append(f"a case falls by {component_in_words(identity.criterion.config)}")
        parts += [] if mu is None else [f"mu {mu:.3f} of {source} ({len(cases)})"]
    return ", ".join(parts)


def evaluation_tables(folder: RecordFolder, baseline: RecordFolder | None = None) -> tuple[TextTable, ...]:
    """The tables of an evaluation, with the notes that a reader needs below the last one.

    Args:
        folder: of the evaluation.
        baseline: under corruptions, records of another system, which errors are told as a share of.
    """
    title = evaluation_title(folder.identity)
    if folder.identity.kind == "test":
        return (accuracy_table(folder, title),)
    if folder.identity.kind == "certificate":
        return certificate_tables(folder, title)
    if folder.identity.kind == "corruption":
        return corruption_tables(folder, title, baseline)
    return robustness_tables(folder, title)


def component_in_words(config: Mapping[str, Any]) -> str:
    """A component's config as tables name it: ``ClassGrown (target_class -1)``."""
    arguments = ", ".join(f"{key} {value}" for key, value in config.items() if key != "type")
    return f"{config['type']} ({arguments})" if arguments else str(config["type"])
