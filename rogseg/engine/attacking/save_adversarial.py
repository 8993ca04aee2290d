"""Adversarial volumes as files: raw images that any network can be given, as a patient's files are."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import Tensor

from rogseg.attacks import AttackResult
from rogseg.attacks.foreground import labels_dice
from rogseg.cases import Case
from rogseg.engine.attacking.measured_case import clean_labels
from rogseg.engine.digests import digest_of_file
from rogseg.evaluation.case_record import class_mean
from rogseg.evaluation.robustness_figures import plot_attacked_slice
from rogseg.evaluation.text_table import number
from rogseg.foreign import decode, read_json
from rogseg.preprocessing import Volume, read_image, write_image, write_label
from rogseg.preprocessing.raw_reading import open_raw
from rogseg.storage import RawCase, RawTask, write_json_atomic
from rogseg.systems import System

__all__ = ["AdversarialFolder", "MadeAdversary"]

REMEDY = "remove the folder of this evaluation and run the command again"


@dataclasses.dataclass(frozen=True)
class MadeAdversary:
    """What is known of one adversarial volume.

    Args:
        case_id: of its case.
        epsilon: of the attack, in the unit of its threat.
        dice: of each foreground class of the system, as the attack saw it on the network's grid; None where the case
            has none of it.
        files: SHA-256 of each file of the image, by name.
        notes: why the files, read again, are seen otherwise than they were attacked; nothing where they are not.
    """

    case_id: str
    epsilon: float
    dice: tuple[float | None, ...]
    files: dict[str, str]
    notes: tuple[str, ...]


class AdversarialFolder:
    """The adversarial volumes that one attack makes on one system.

    ``<attack>_<epsilon>/<task>/`` is a raw task in the layout of the MSD, of the attacked cases alone, which ``rogseg
    test SYSTEM --data`` takes as it takes the clean one. Images are on the grid and in the words of the raw files, in
    their type where it holds every value, else float32. Beside it lie ``perturbations/`` [raw units], ``slices/`` and
    ``made/``, a `MadeAdversary` for each case.

    Args:
        directory: where they go.
        system: that is attacked.
        raw: the task that the cases are from.
        load: case id -> the whole prepared case.
        name: of the attack.
        label_of: epsilon as reports write it.
    """

    def __init__(
        self,
        directory: Path,
        system: System,
        raw: RawTask,
        load: Callable[[str], Case],
        name: str,
        label_of: Callable[[float], str],
    ) -> None:
        self.directory, self.system, self.raw, self.load, self.name = directory, system, raw, load, name
        self.label_of = label_of
        self._raw = {case.case_id: case for case in raw.training}

    def task_directory(self, epsilon: float) -> Path:
        """The raw task at one epsilon; the folder's name is the task's, by which a network knows what it has seen."""
        return self._of(epsilon) / self.raw.name

    def refuse_if_impossible(self, case_id: str) -> None:
        """Bring a case that was not attacked back to its files, since nobody wants to hear of it after hours.

        Raises:
            ValueError: that cannot be done.
        """
        case = self.load(case_id)
        self.system.raw_adversary(self.raw_case(case_id), case, case.inputs)

    def write(self, case: Case, epsilon: float, result: AttackResult) -> None:
        """Write one result.

        Raises:
            ValueError: the case has no raw files, or the system brings no volumes back to them.
        """
        raw, record = self.raw_case(case.case_id), self._made(case.case_id, epsilon)
        if record.is_file():
            self._known(record, epsilon)
        whole, adversarial = case, result.adversarial
        if case.region is not None:
            # What the attack did not see stays as it is.
            whole = self.load(case.case_id)
            adversarial = whole.inputs.clone()
            adversarial[(..., *case.region)] = result.adversarial.to(adversarial)
        moved = self.system.raw_adversary(raw, whole, adversarial)
        notes = moved.notes if case.region is None else ("one window of the case was attacked", *moved.notes)
        paths = self._write_image(raw, moved, epsilon)
        assert case.targets is not None, "only labelled cases are attacked"
        of_classes = labels_dice(result.prediction, case.targets, self.system.class_indices)[0].tolist()
        dice = tuple(None if np.isnan(value) else value for value in of_classes)
        self._write_beside(raw, moved, case, epsilon, result, class_mean(dice))
        made = MadeAdversary(
            case.case_id, epsilon, dice, {path.name: digest_of_file(path) for path in paths}, tuple(notes)
        )
        write_json_atomic(record, dataclasses.asdict(made))

    def read(self, case_id: str, epsilon: float) -> tuple[RawCase, MadeAdversary]:
        """One adversarial case and what is known of it.

        Raises:
            ValueError: it is not there, or was changed since it was written.
        """
        record = self._made(case_id, epsilon)
        if not record.is_file():
            raise ValueError(
                f"{record}: the adversarial volume of {case_id} is gone, while its attack is on record; {REMEDY}"
            )
        made, folder = self._known(record, epsilon), self.task_directory(epsilon)
        images = tuple(folder / "imagesTr" / name for name in made.files)
        for path in images:
            if not path.is_file() or digest_of_file(path) != made.files[path.name]:
                raise ValueError(f"{path}: it is not the file that was written; {REMEDY}")
        return RawCase(case_id, images, folder / "labelsTr" / f"{case_id}.nii.gz"), made

    def has(self, case_id: str, epsilon: float) -> bool:
        """Whether this adversarial volume was written."""
        return self._made(case_id, epsilon).is_file()

    def raw_case(self, case_id: str) -> RawCase:
        """The clean files of a case.

        Raises:
            ValueError: the raw task has no such case, or no label of it.
        """
        raw = self._raw.get(case_id)
        if raw is None or raw.label is None:
            raise ValueError(
                f"{self.raw.directory}: has no labelled case {case_id!r}, whose adversarial volume is to be a raw "
                "file; name the raw data that the case is from with --data"
            )
        return raw

    def _known(self, record: Path, epsilon: float) -> MadeAdversary:
        made = decode(read_json(record, REMEDY), MadeAdversary, str(record))
        if made.epsilon != epsilon:
            raise ValueError(
                f"{record}: is of epsilon {made.epsilon}, not {epsilon}, and five digits, which the folder's name has, "
                "do not tell them apart; give another --out"
            )
        return made

    def _of(self, epsilon: float) -> Path:
        return self.directory / f"{self.name}_{epsilon:.5f}"

    def _made(self, case_id: str, epsilon: float) -> Path:
        return self._of(epsilon) / "made" / f"{case_id}.json"

    def _write_image(self, raw: RawCase, moved: Volume, epsilon: float) -> list[Path]:
        """The image, in as many files as the raw one has, and the label."""
        folder, paths = self.task_directory(epsilon), []
        several = len(raw.images) > 1
        for index, source in enumerate(raw.images):
            name = f"{raw.case_id}_{index:04d}" if several else raw.case_id
            paths.append(folder / "imagesTr" / f"{name}.nii.gz")
            part = moved.array[index : index + 1] if several else moved.array
            write_image(paths[-1], part, moved.affine, moved.forms, open_raw(source).voxels().dtype)
        assert raw.label is not None, "only labelled cases are attacked"
        label = open_raw(raw.label)
        values = np.rint(label.voxels()).astype(np.int64).reshape(label.shape[:3])
        write_label(folder / "labelsTr" / f"{raw.case_id}.nii.gz", values, label.affine, label.forms)
        self.write_index(epsilon)
        return paths

    def write_index(self, epsilon: float) -> None:
        """Write ``dataset.json`` of what is there; once more at the end where several processes wrote cases."""
        folder = self.task_directory(epsilon)
        content = read_json(self.raw.directory / "dataset.json", "mend or fetch the file again")
        case_ids = sorted(path.name.removesuffix(".nii.gz") for path in (folder / "labelsTr").glob("*.nii.gz"))
        index = {
            "name": self.raw.name,
            "description": f"adversarial volumes, made by {self.name} on {self.system.identity.name}",
            "modality": content.get("modality", content.get("channel_names")),
            "labels": content["labels"],
            "numTraining": len(case_ids),
            "numTest": 0,
            "training": [
                {"image": f"./imagesTr/{case_id}.nii.gz", "label": f"./labelsTr/{case_id}.nii.gz"}
                for case_id in case_ids
            ],
            "test": [],
        }
        write_json_atomic(folder / "dataset.json", index)

    def _write_beside(
        self, raw: RawCase, moved: Volume, case: Case, epsilon: float, result: AttackResult, mean_dice: float | None
    ) -> None:
        perturbation = moved.array - read_image(raw.images, len(moved.array)).array
        path = self._of(epsilon) / "perturbations" / f"{case.case_id}.nii.gz"
        write_image(path, perturbation, moved.affine, moved.forms)
        assert case.targets is not None, "only labelled cases are attacked"
        path = self._of(epsilon) / "slices" / f"{case.case_id}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        plot_attacked_slice(
            case.inputs[0, 0].cpu().numpy(),
            (result.adversarial - case.inputs)[0, 0].cpu().numpy(),
            _labels(case.targets),
            _labels(clean_labels(self.system.model, case)),
            _labels(result.prediction),
            path,
            f"{case.case_id}, {self.system.channels[0].name}, {self.name} at {self.label_of(epsilon)}, "
            f"Dice {number(mean_dice)}",
        )


def _labels(classes: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return classes[0].byte().cpu().numpy()
