"""What two texts of regulators ask about adversarial examples, and which part of a report is evidence for each point.

Nothing here says that a device conforms: whether the evidence is enough is for the manufacturer and the assessor.

Source: Regulation (EU) 2024/1689 (AI Act), article 15(5); FDA, "Artificial Intelligence-Enabled Device Software
Functions: Lifecycle Management and Marketing Submission Recommendations", draft guidance of January 2025, section on
cybersecurity, which names model evasion among the threats to consider. Paraphrased in our words.
"""

import dataclasses
from collections.abc import Callable

from rogseg.report.contents import Contents

__all__ = ["ChecklistPoint", "checklist"]

EU, FDA = "EU AI Act, article 15(5)", "FDA draft guidance (January 2025), cybersecurity: model evasion"


@dataclasses.dataclass(frozen=True)
class ChecklistPoint:
    """One point: whose, what is asked, whether these records hold evidence for it, and where."""

    source: str
    asked: str
    has_evidence: bool
    where: str


def checklist(contents: Contents) -> tuple[ChecklistPoint, ...]:
    """All points, those without evidence included."""
    return tuple(
        ChecklistPoint(source, asked, has(contents), where if has(contents) else without)
        for source, asked, has, where, without in POINTS
    )


def _has_kind(*kinds: str) -> Callable[[Contents], bool]:
    return lambda contents: any(row.condition.kind in kinds for row in contents.rows)


def _never(_: Contents) -> bool:
    return False


POINTS: tuple[tuple[str, str, Callable[[Contents], bool], str, str], ...] = (
    (
        EU,
        "Resilience against attempts to alter outputs or performance by exploiting vulnerabilities",
        _has_kind("attack"),
        "Measured under attacks with full knowledge of the network: report.html, Results; tables/results.csv",
        "no attack is in these records",
    ),
    (
        EU,
        "Adversarial examples or model evasion: inputs designed to make the model err",
        _has_kind("attack"),
        "Loss of accuracy per attack and epsilon, with intervals and the number of cases: tables/results.csv; each "
        "case: tables/cases.csv",
        "no attack is in these records",
    ),
    (
        EU,
        "Measures to prevent, detect, respond to, resolve and control such attacks",
        _never,
        "",
        "not covered: these records measure; protection in operation is the manufacturer's to describe",
    ),
    (
        EU,
        "Data poisoning and model poisoning",
        _never,
        "",
        "not covered: these records say nothing about the training data or pre-trained components",
    ),
    (
        EU,
        "Confidentiality attacks and model flaws",
        _never,
        "",
        "not covered",
    ),
    (
        FDA,
        "The threat of model evasion is named and assessed",
        lambda contents: bool(contents.threats),
        "The threat model in words and three units: threat_model.md; what is outside of it stands there, too",
        "no threat model is in these records",
    ),
    (
        FDA,
        "How performance changes under intentionally changed inputs",
        _has_kind("attack"),
        "report.html, Results and Case by case; tables/results.csv",
        "no attack is in these records",
    ),
    (
        FDA,
        "Whether the test was able to find a weakness",
        lambda contents: bool(contents.findings),
        "The sanity checks of the attacks, passed and failed: checks.csv",
        "no sanity check is in these records",
    ),
    (
        FDA,
        "Performance under inputs that differ from the training data without intent (noise, blur, artefacts)",
        _has_kind("corruption"),
        "tables/corruptions.csv",
        "no corruption is in these records",
    ),
    (
        FDA,
        "Limits of the test and the uncertainty of its numbers",
        lambda contents: bool(contents.limits),
        "limitations.md; 95% intervals from five cases on in every table",
        "not stated",
    ),
    (
        FDA,
        "Traceability: which software, weights and data the numbers belong to",
        lambda contents: all(origin.digest for origin in contents.origins),
        "manifest.json: SHA-256 of every file; records/*/header.json: digests of weights and cases, versions",
        "the records have no digests",
    ),
    (
        FDA,
        "Security controls, monitoring and updates of the device over its life",
        _never,
        "",
        "not covered",
    ),
)
