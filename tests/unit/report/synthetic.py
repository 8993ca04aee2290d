"""Contents made up for tests and for looking at: no network was run, and the page says so."""

import numpy as np
from numpy.typing import NDArray

from rogseg.findings import Level
from rogseg.report.contents import ClassText, Contents, Finding, MeasureText, Strength, SystemText, ThreatText
from rogseg.report.rows import CaseValues, Condition, Origin, Row
from rogseg.report.volumes import SavedVolume

EPSILONS = (2, 4, 8, 16)
WORDS = (
    "An adversary who knows the network and its weights may change every voxel of the image, each by at most epsilon "
    "times the intensity range that the network sees (Linf). The changed image stays inside that range."
)


def strength(numerator: int) -> Strength:
    share = numerator / 255
    return Strength(share, f"{numerator}/255", f"{share:.2%}", f"{share * 5.2:.3f}", f"{share * 400:.1f} HU")


def phantom(shape: tuple[int, int, int] = (40, 50, 30), seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """An image [HU] that no mirroring leaves as it is, and its labels."""
    generator = np.random.default_rng(seed)
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, length) for length in shape), indexing="ij")
    body = (x / 0.9) ** 2 + (y / 0.85) ** 2 < 1
    liver = ((x - 0.35) / 0.42) ** 2 + ((y - 0.1) / 0.5) ** 2 + ((z - 0.2) / 0.7) ** 2 < 1
    tumour = ((x - 0.45) / 0.15) ** 2 + ((y - 0.25) / 0.17) ** 2 + ((z - 0.35) / 0.3) ** 2 < 1
    spine = (x / 0.14) ** 2 + ((y + 0.62) / 0.14) ** 2 < 1
    image = np.where(body, 40.0, -160.0) + 70 * liver - 45 * tumour + 180 * spine + 25 * x + 12 * z
    image = image + generator.normal(0, 8, shape)
    labels = liver.astype(np.uint8)
    labels[tumour] = 2
    return np.clip(image, -160, 240).astype(np.float32), labels


def saved_volume(
    case_id: str = "case_01",
    numerator: int = 8,
    system: str = "standard training",
    shape: tuple[int, int, int] = (40, 50, 30),
    spacing: tuple[float, float, float] = (2.0, 2.0, 3.0),
    axes: str = "RAS",
) -> SavedVolume:
    image, target = phantom(shape, seed=sum(case_id.encode()))
    generator = np.random.default_rng(numerator)
    epsilon = numerator / 255 * 400
    moved = np.clip(np.cumsum(generator.normal(0, 1, shape), axis=0) * 4, -epsilon, epsilon).astype(np.float32)
    moved = np.clip(image + moved, -160, 240) - image
    clean, attacked = np.roll(target, 1, axis=0), np.roll(target, 2 + numerator // 2, axis=1)
    attacked[attacked == 2] = 1
    return SavedVolume(
        case_id,
        system,
        "apgd_ce",
        numerator / 255,
        f"{numerator}/255",
        image[None],
        moved[None].astype(np.float32),
        target,
        clean,
        attacked,
        (-160.0,),
        (240.0,),
        spacing,
        "HU",
        axes,
        ("CT",),
    )


def row(
    system: str, condition: Condition, cases: dict[str, tuple[float | None, ...]], fell_below: float | None, origin: str
) -> Row:
    values = []
    for line, (case_id, dice) in enumerate(cases.items(), 1):
        present = [value for value in dice if value is not None]
        fell = None if fell_below is None or not present else sum(present) / len(present) < fell_below
        values.append(CaseValues(case_id, {"Dice": dice}, fell, None if condition.kind == "worst case" else line))
    return Row(system, condition, tuple(values), origin)


def contents(
    num_cases: int = 20,
    attacks: tuple[str, ...] = ("apgd_ce", "apgd_dice", "Square"),
    systems: tuple[str, ...] = ("standard training", "Free AT"),
    epsilons: tuple[int, ...] = EPSILONS,
    num_volumes: int = 2,
) -> Contents:
    """A report of the given size."""
    generator = np.random.default_rng(0)
    ids = [f"case {index}" for index in range(1, num_cases + 1)]
    rows, origins = [], []
    weakness = {name: 1.0 if index == 0 else 0.25 for index, name in enumerate(systems)}
    for system in systems:
        key = f"records-{systems.index(system) + 1}"
        command = f'python tools/attack.py config.py "{system}.pth" --attack configs/attack/autoattack.py'
        origins.append(Origin(key, f"work_dirs/{system}", command, "5cf1fa51" * 8, num_cases, "", {"seed": "0"}))
        clean = {case: tuple(np.clip(generator.normal((0.93, 0.72), 0.04), 0, 1).tolist()) for case in ids}
        rows.append(row(system, Condition("clean", "clean"), clean, None, key))
        for numerator in epsilons:
            worst: dict[str, tuple[float | None, ...]] = {}
            for index, attack in enumerate(attacks):
                power = weakness[system] * numerator / (10 + 14 * index)
                values: dict[str, tuple[float | None, ...]] = {}
                for case in ids:
                    loss = np.exp(-power * generator.gamma(4, 0.25, 2))
                    values[case] = tuple((np.array(clean[case]) * loss).tolist())
                    worst[case] = min(worst.get(case, values[case]), values[case], key=lambda v: sum(x or 0 for x in v))
                given = strength(numerator)
                condition = Condition("attack", attack, given.value, given.label, "Linf", "20 iterations")
                rows.append(row(system, condition, values, 0.41, key))
            if len(attacks) > 1:
                condition = Condition("worst case", "worst case", given.value, given.label, "Linf")
                rows.append(row(system, condition, worst, 0.41, key))
    levels: dict[bool, Level] = {True: "ok", False: "warning"}
    findings = [
        Finding(system, name, levels[not meaning], seen, meaning)
        for system in systems
        for name, seen, meaning in (
            ("the model is deterministic", "largest difference 0, 0 voxels labelled differently", ""),
            ("gradients reach the inputs", "0 of 47616 elements have zero gradient, 0 are not finite", ""),
            ("more iterations is not weaker", "mean Dice 0.8327 at 5, 0.8313 at 20", ""),
            ("an almost unbounded attack breaks the model", "mean Dice 0.0000 at epsilon 0.5", ""),
            (
                "white-box attacks are at least as strong as Square",
                "mean Dice 0.5012 under Square, 0.4903 under white-box attacks; Square is stronger on 2 of 20 cases",
                "masked gradients: an attack that sees them should not lose against one that only queries",
            ),
        )
    ]
    volumes = tuple(
        saved_volume(f"case {index + 1}", numerator, system)
        for system in systems[:1]
        for index in range(num_volumes)
        for numerator in (8, 16)
    )
    return Contents(
        title="Liver and tumours in CT",
        task="Synthetic phantom",
        classes=(ClassText("liver"), ClassText("tumour", "lesion")),
        measures=(MeasureText("Dice", "Dice"),),
        systems=tuple(
            SystemText(name, "a rogseg checkpoint", "16c6896539269b15" * 4, {"overlap": "0.5"}) for name in systems
        ),
        threats=(ThreatText("Linf", WORDS, tuple(strength(numerator) for numerator in epsilons), ()),),
        rows=tuple(rows),
        origins=tuple(origins),
        findings=tuple(findings),
        volumes=volumes,
        facts={
            "Grid": "the network's grid, one window around the target",
            "Cases": f"{num_cases} validation cases of fold 0, spread over the set",
            "Success": "mean Dice under half of the mean clean Dice of the cases (0.41)",
            "Seeds": "0 for the attacks, 0 for the choice of cases",
        },
        criterion="below half of the mean clean Dice",
        limits=("One training seed: another training of the same recipe may be more or less robust.",),
        untested=("Corruptions: blur, noise, motion, low resolution.", "Attacks in L2."),
        case_sizes={case: (float(900 + 40 * i), 2.0 + i**1.5) for i, case in enumerate(ids)},
        is_synthetic=True,
        written="2 January 2026",
    )
