"""Components of the user's own that raise whatever they like: told by file, line, kind and text, as theirs to mend."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from tests.faults.fault import Fault
from tests.faults.raw_inputs import task
from tests.unit.systems.any_network.networks import INPUTS, WINDOWS, seeded

Build = Callable[[Path], Sequence[str]]
OWN = "tests.faults.own_components"
HERE = r"own_components\.py, line \d+, in"
MENDS = "no part of rogseg: mend it there, or set ROGSEG_TRACEBACK=1"


def config(folder: Path, network: str = "tests.unit.systems.any_network.networks.TinyNetwork", **system: Any) -> Path:
    """The config of a network of one's own, with its weights."""
    torch.save(seeded().state_dict(), folder / "net.pth")
    content = {"type": "TorchModule", "network": network, "weights": str(folder / "net.pth"), "inputs": INPUTS}
    content |= {"windows": WINDOWS, "outputs": {"classes": ["organ", "tumour"]}, **system}
    path = folder / "net.py"
    path.write_text(f"system = {content!r}\ncustom_imports = ['{OWN}']\n")
    return path


def on(command: str, *more: str, measures: object = None, **system: Any) -> Build:
    def build(folder: Path) -> Sequence[str]:
        raw, path = task(folder / "Task50_Mine", 6, 0), config(folder, **system)
        if measures is not None:
            path.write_text(f"{path.read_text()}measures = {measures!r}\n")
        return [command, str(path), "--data", str(raw), "--out", str(folder / "out"), "--cases", "case_0", *more]

    return build


def network(error: str, command: str, *more: str, **arguments: Any) -> Build:
    return on(command, *more, network=f"{OWN}.RaisingNetwork", arguments={"error": error, **arguments})


def attack(error: str) -> Build:
    def build(folder: Path) -> Sequence[str]:
        path = folder / "mine.py"
        path.write_text(
            f"custom_imports = ['{OWN}']\nattack = dict(type='RaisingAttack', error='{error}')\nepsilons = [8 / 255]\n"
        )
        return on("attack", "--attack", str(path), "--sanity", "none")(folder)

    return build


def module(text: str) -> Build:
    """A config that imports a broken module, which lies beside it."""

    def build(folder: Path) -> Sequence[str]:
        (folder / "broken_module.py").write_text(text)
        path = folder / "net.py"
        path.write_text(f"import sys\nsys.path.insert(0, {str(folder)!r})\nsys.modules.pop('broken_module', None)\n"
                        "custom_imports = ['broken_module']\nsystem = dict(type='TorchModule')\n")  # fmt: skip
        return ["test", str(path), "--out", str(folder / "out")]

    return build


def device(name: object) -> Build:
    return on("test", device=name)


FAULTS = [
    *(
        Fault(f"an attack that raises {name}", attack(name), f"{HERE} .*{name}.*{MENDS}")
        for name in ("AttributeError", "KeyError", "OwnError", "RuntimeError", "SystemExit")
    ),
    Fault("an attack that refuses a case", attack("ValueError"), f"(?s)1 case of 1 .*case_0: .*{HERE} .*ValueError"),
    *(
        Fault(f"a network that raises {name}", network(name, "test"), f"{HERE} .*{name}")
        for name in ("AttributeError", "KeyError", "OwnError", "RuntimeError", "SystemExit", "ZeroDivisionError")
    ),
    Fault("a network that cannot be made", network("OwnError", "test", early=True), f"{HERE} .*mine; this.*{MENDS}"),
    Fault("a network that raises in certify", network("OwnError", "certify"), f"{HERE} .*OwnError: mine; .*{MENDS}"),
    Fault(
        "a corruption that raises",
        on("corrupt", "--modality", "MR", "--corruption", "RaisingCorruption", "--severity", "1"),
        f"{HERE} .*AttributeError: .*no_such_name.*{MENDS}",
    ),
    Fault(
        "a measure that raises",
        on("test", measures=[{"type": "RaisingMeasure"}]),
        f"{HERE} .*KeyError: 'layer'.*{MENDS}",
    ),
    Fault("a module that ends the program", module("import sys\nsys.exit(0)"), r"broken_module\.py, line 2.*SystemEx"),
    Fault("a module of its own error", module("class E(Exception): ...\nraise E('x')"), r"broken_module\.py, line 2"),
    Fault("a module that is no Python", module("def (\n"), r"custom_imports: 'broken_module' cannot be imported"),
    *(
        Fault(f"a device {name!r} in a config", device(name), f"device is .*{name}")
        for name in ("gpu7", "mps", "meta", "cuda:99", 5)
    ),
]  # fmt: skip
