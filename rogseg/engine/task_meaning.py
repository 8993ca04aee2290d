"""Whether a raw task means by its label values and channels what a system means by them."""

from rogseg.corruptions import modality_of
from rogseg.storage import RawTask, read_label_names
from rogseg.systems import System

__all__ = ["other_names", "refuse_other_meaning"]


def refuse_other_meaning(system: System, raw: RawTask) -> None:
    """Refuse data of which a system would take one class or one channel for another.

    Names that only one of the two has refuse nothing: a structure is called in many ways. `other_names` tells of them.

    Raises:
        ValueError: ``dataset.json`` gives the name of a class to other values, or that of a channel to another one, or
            has MR where the system takes CT, or the other way round; each class or channel would be taken for another.
    """
    index, name = raw.directory / "dataset.json", system.identity.name
    ours = {entry.name.casefold(): entry.values for entry in system.classes}
    for label, values in read_label_names(index).classes:
        known = ours.get(label.casefold(), values)
        if not set(known) & set(values):
            raise ValueError(
                f"{index}: {label!r} has the label {_listed(values)}, and {name} takes {_listed(known)} for it, so one "
                "class would be measured as another; relabel the files, or mend labels if only that is wrong"
            )
    named = [channel.name.casefold() for channel in system.channels]
    for number, (channel, modality) in enumerate(zip(system.channels, raw.modalities, strict=False)):
        kinds = {modality_of(channel.modality, channel.unit), modality_of(modality)}
        swapped = modality.casefold() in named and modality.casefold() != named[number]
        if swapped or kinds == {"CT", "MR"}:
            raise ValueError(
                f"{index}: channel {number} is {modality}, and {name} takes {channel.name} there, whose intensities "
                "mean something else; bring the channels into its order, or mend the names if only these are wrong"
            )


def other_names(system: System, raw: RawTask) -> tuple[str, ...]:
    """What a person should know where a class has one name in ``dataset.json`` and another in the system.

    The two are held against each other by their label values, which is right where both names mean one structure.
    """
    index, name = raw.directory / "dataset.json", system.identity.name
    labels, classes = read_label_names(index).classes, system.classes
    theirs, ours = ({_letters(one) for one in names} for names in ([label for label, _ in labels], system.class_names))
    renamed = [
        f"{label!r} (label {_listed(values)}) is measured as its {entry.name!r}"
        for label, values in labels
        for entry in classes
        if set(entry.values) == set(values) and _letters(label) not in ours and _letters(entry.name) not in theirs
    ]
    if not renamed:
        return ()
    return (f"{index} has names that {name} does not know: {', '.join(renamed)}; see that each means one structure",)


def _letters(name: str) -> str:
    """A name without what only its spelling decides."""
    return "".join(filter(str.isalnum, name.casefold()))


def _listed(values: tuple[int, ...]) -> str:
    return " and ".join(map(str, values))
