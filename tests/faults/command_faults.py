"""Wrong wishes on the commands: each is told before any work, by the name of what is wrong."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from rogseg.evaluation.record_folder import RecordFolder
from rogseg.report.legacy.rows import legacy_runs
from tests.faults.fault import Fault
from tests.faults.raw_inputs import flip, image, labels, task
from tests.identities import IDENTITY, dice_record
from tests.unit.systems.any_network.networks import INPUTS, WINDOWS, seeded

Build = Callable[[Path], Sequence[str]]
OUTPUTS = {"classes": ["organ", "tumour"]}
ATTACK = ("--attack", "apgd_ce", "--attack-options", "attack.num_iterations=1", "--sanity", "none")


def _phantom(*more: str) -> Build:
    return lambda folder: ["phantom", str(folder / "out"), *more]


def _network(folder: Path) -> Path:
    weights, config = folder / "net.pth", folder / "net.py"
    torch.save(seeded().state_dict(), weights)
    system = {
        "type": "TorchModule",
        "network": "tests.unit.systems.any_network.networks.TinyNetwork",
        "weights": str(weights),
        "inputs": INPUTS,
        "windows": WINDOWS,
        "outputs": OUTPUTS,
    }
    config.write_text(f"system = {system!r}\n")
    return config


def _on_task(command: str, *more: str) -> Build:
    def build(folder: Path) -> Sequence[str]:
        raw = task(folder / "Task50_Mine", 6, 1)
        return [command, str(_network(folder)), "--data", str(raw), "--out", str(folder / "out"), *more]

    return build


def _into(name: str, command: str, *more: str) -> Build:
    """Into a folder where a file of the user's has a name of ours."""

    def build(folder: Path) -> Sequence[str]:
        (folder / "out" / name).parent.mkdir(parents=True)
        (folder / "out" / name).write_text("mine")
        return _on_task(command, *more)(folder)

    return build


def _out_is_a_file(folder: Path) -> Sequence[str]:
    (folder / "out").write_text("mine")
    return _on_task("attack", *ATTACK)(folder)


def _scores(change: Callable[[Path], object]) -> Build:
    def build(folder: Path) -> Sequence[str]:
        for name in ("a", "b", "c"):
            image(folder / "true" / f"{name}.nii.gz", labels())
            image(folder / "ours" / f"{name}.nii.gz", labels())
        change(folder / "ours" / "b.nii.gz")
        return ["test", "--predictions", f"{folder}/ours", "--labels", f"{folder}/true", "--out", f"{folder}/out"]

    return build


OTHERS = "1 case of 3 could not be used, the others are done:\n  b: .*b.nii.gz"


def _legacy_of_another_epsilon(folder: Path) -> Sequence[str]:
    condition = dice_record("a", "apgd_ce", (0.2, 0.6), strength=4 / 255)
    RecordFolder(folder / "out" / legacy_runs()[-1].folder, IDENTITY).add(condition)
    return _on_task("legacy", "--epsilon", "8/255")(folder)


FAULTS = [
    Fault("legacy of two epsilons", _legacy_of_another_epsilon, "holds records of another --epsilon than 8/255"),
    Fault("a phantom of no spacing", _phantom("--spacing", "1", "nan", "1"), "spacing must be three lengths"),
    Fault("a phantom without end", _phantom("--spacing", "1", "inf", "1"), "spacing must be three lengths"),
    Fault("a phantom of 900 TiB", _phantom("--shape", "100000", "100000", "100000"), "more than any scanner makes"),
    Fault("a phantom of many channels", _phantom("--channels", "100000000"), "a phantom has 1 to 64 channels"),
    Fault("a phantom of seed -1", _phantom("--seed", "-1"), "seed is -1, it must be at least 0"),
    Fault("a liver of other labels", _phantom("--like", "liver", "--labels", "1"), "--like liver says by itself"),
    Fault("a liver in MR", _phantom("--like", "liver", "--kind", "mr"), "--like liver says by itself what --kind"),
    Fault("one prediction of three flipped", _scores(flip), OTHERS),
    Fault("one prediction of halves", _scores(lambda p: image(p, labels() + np.float32(0.5))), OTHERS),
    Fault("one prediction on another grid", _scores(lambda p: image(p, labels((12, 12, 12)))), OTHERS),
    Fault("test cases and one more", _on_task("test", "--cases", "test", "case_0"), "--cases: test stands alone"),
    Fault("one more and all", _on_task("test", "--cases", "case_0", "all"), "--cases: all stands alone"),
    Fault("validation for an attack", _on_task("attack", *ATTACK, "--cases", "validation"), "leave --cases out"),
    Fault("two epsilons of one name", _on_task("attack", *ATTACK, "--epsilon", "8/255", "0.031373"), "five digits"),
    Fault("volumes of less than none", _on_task("attack", *ATTACK, "--keep-volumes", "-1"), "--keep-volumes is -1"),
    Fault(
        "a fold of a network without",
        _on_task("test", "--fold", "3"),
        "fold has no effect .*--cases instead of --fold",
    ),
    Fault("a severity of 7", _on_task("corrupt", "--modality", "MR", "--severity", "7"), "--severity is 7"),
    Fault("probabilities of a network without", _on_task("test", "--save-probabilities"), "--save-probabilities"),
    Fault("an attack into a file", _out_is_a_file, "out: is a file; give"),
    Fault("an attack over one's table", _into("table.md", "attack", *ATTACK), "out: holds table.md, which"),
    Fault("a test over one's labels", _into("predictions/case_0.nii.gz", "test"), "out: holds predictions, which"),
    Fault("a test over nnU-Net's summary", _into("summary.json", "test"), "out: holds summary.json, which"),
    Fault("corruptions over one's table", _into("table.md", "corrupt", "--modality", "MR"), "holds table.md, which"),
    Fault("certificates over one's votes", _into("votes/a.npz", "certify"), "out: holds votes, which"),
]
