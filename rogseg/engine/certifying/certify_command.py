"""What the command ``certify`` does: open a system, find its cases, certify them and report."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from rogseg.engine.attacking.reporting import write_report
from rogseg.engine.carried_cases import CarriedCases
from rogseg.engine.case_finding import cases_to_attack
from rogseg.engine.case_selection import parse_shard, spread
from rogseg.engine.certifying.case_certifier import Certifying, CertifyWorker
from rogseg.engine.certifying.certification import evaluate_certificates
from rogseg.engine.certifying.settings import CertificateSettings, parse_groups
from rogseg.engine.console import make_console
from rogseg.engine.device import choose_device, num_gpus
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.leak import leak_of
from rogseg.engine.model.open_system import open_system
from rogseg.engine.system_opening import SystemNames
from rogseg.evaluation.identity import CaseSelection
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.progress import ProgressDisplay
from rogseg.systems import Protocol
from rogseg.workers import open_workers

__all__ = ["certify_system"]


def certify_system(
    system: Sequence[str | Path],
    *,
    sigma: Sequence[float] = (0.25, 0.5),
    tau: Sequence[float] = (0.75,),
    alpha: float = 0.001,
    samples: int = 200,
    selection_samples: int = 50,
    group: Sequence[str] | None = None,
    protocol: Protocol = "volume",
    data: str | Path | None = None,
    task: str | Path | None = None,
    cases: Sequence[str] | None = None,
    max_cases: int | None = None,
    case_seed: int = 0,
    shard: str = "1/1",
    out: str | Path | None = None,
    seed: int = 0,
    batch_size: int = 1,
    allow_seen: bool = False,
    num_workers: int | None = None,
    cluster: str | None = None,
    device: str | None = None,
    trust: bool = False,
    cfg_options: Sequence[str] = (),
) -> RecordFolder:
    """Certify the validation cases of a fold, or the given ones, and report; see ``rogseg certify --help``.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console, wanted = make_console(), device
    sigmas, taus = tuple(dict.fromkeys(sigma)), tuple(dict.fromkeys(tau))
    settings = CertificateSettings(sigmas, taus, alpha, selection_samples, samples, parse_groups(group))
    device = str(choose_device(device))
    if device == "cpu":
        keep_freed_memory()
    opened = open_system(system, device=device, task_dir=task, overrides=cfg_options, trust=trust)
    source = cases_to_attack(opened, data=data, task=task, cases=cases)
    chosen, parts = spread(source.case_ids, max_cases, case_seed), parse_shard(shard)
    directory = Path(out) if out else Path("work_dirs") / "certificates" / opened.system.identity.name
    rule = "all" if max_cases is None else f"at most {max_cases} cases, spread over the set"
    how = Certifying(settings, directory.absolute(), protocol, seed, batch_size)
    names = SystemNames.of(system, opened.system, task=task, device=wanted, cfg_options=cfg_options, trust=trust)
    workers = open_workers(
        CertifyWorker(names, CarriedCases.of(source, chosen), how),
        num_workers=num_workers,
        cluster=cluster,
        device=wanted,
        num_gpus=num_gpus(),
    )
    with workers or contextlib.nullcontext(), ProgressDisplay("noisy copies", console=console) as progress:
        records = evaluate_certificates(
            opened.system,
            source,
            settings,
            directory,
            protocol=protocol,
            case_ids=chosen,
            selection=CaseSelection(rule, None if max_cases is None else case_seed),
            shard=parts,
            seed=seed,
            fold=None if opened.config is None else opened.config.fold,
            leak=leak_of(opened, chosen, source.task, allow_seen=allow_seen),
            batch_size=batch_size,
            device=device,
            workers=workers,
            on_progress=progress.update,
        )
    write_report(records, (), console)
    return records
