"""When a case counts as fallen, for a reader who knows no component by its name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rogseg.report.records.evaluations import Evaluation

__all__ = ["criterion_words"]


def criterion_words(evaluations: Sequence[Evaluation]) -> str:
    """The end of the sentence "a case falls ...": empty where the folders differ or nothing can fall."""
    settings = [(e.identity.criterion.config, e.identity.classes) for e in evaluations if e.identity.criterion]
    words = list(dict.fromkeys(_words(config, classes) for config, classes in settings))
    return words[0] if len(words) == 1 else ""


def _words(config: Mapping[str, Any], classes: Sequence[str]) -> str:
    options = {key: value for key, value in config.items() if key != "type"}
    kind = str(config.get("type", ""))
    sentence = _SENTENCES.get(kind)
    if sentence is not None:
        return sentence(options, _name(options.get("target_class", _TARGETS.get(kind, -1)), classes))
    given = ", ".join(f"{key} {value}" for key, value in options.items())
    return f"by {kind}" + (f" ({given})" if given else "")


def _name(target: Any, classes: Sequence[str]) -> str:
    """Of what a criterion judges: a class by its number, -1 for the last, None for all of the foreground."""
    if target is None:
        return "the foreground"
    index = target - 1 if target > 0 else target
    return classes[index] if -len(classes) <= index < len(classes) else f"class {target}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _dice_below(options: Mapping[str, Any], _: str) -> str:
    threshold = options.get("threshold")
    if threshold is None:
        return "below the threshold of DiceBelow"
    if isinstance(threshold, str):
        return "below half of the mean clean Dice" if threshold.startswith("half of the mean") else f"below {threshold}"
    return f"below a Dice of {threshold:g}"


def _volume_off(options: Mapping[str, Any], name: str) -> str:
    far = f"at least {_percent(options['share'])} " if "share" in options else ""
    return f"with the volume of {name} {far}too {'large' if options.get('direction') == 'over' else 'small'}"


def _lesions_missed(options: Mapping[str, Any], name: str) -> str:
    missed = options.get("missed", 1)
    which = "all lesions" if missed == 1 else f"at least {_percent(missed)} of the lesions"
    found = f", of each at most {_percent(options['share'])} found" if "share" in options else ""
    return f"with {which} ({name}) missed{found}"


def _class_vanished(options: Mapping[str, Any], name: str) -> str:
    return f"with at most {_percent(options['share'])} of {name} found" if "share" in options else f"with {name} gone"


def _class_grown(options: Mapping[str, Any], name: str) -> str:
    factor = f"{options['factor']:.3g} times its size" if "factor" in options else "a multiple of its size"
    return f"with {name} found at {factor} or more"


def _class_appears(options: Mapping[str, Any], name: str) -> str:
    voxels = f", in at least {options['num_voxels']} voxels" if "num_voxels" in options else ""
    return f"with {name} found where there is none{voxels}"


_SENTENCES: dict[str, Callable[[Mapping[str, Any], str], str]] = {
    "DiceBelow": _dice_below,
    "VolumeOff": _volume_off,
    "LesionsMissed": _lesions_missed,
    "ClassVanished": _class_vanished,
    "ClassGrown": _class_grown,
    "ClassAppears": _class_appears,
}
_TARGETS = {"VolumeOff": None}
"""What is judged where a config says no class; the last class elsewhere."""
