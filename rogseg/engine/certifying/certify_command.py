"""What the command ``certify`` does: open a system, find its cases, certify them and report."""

from collections.abc import Sequence
from pathlib import Path

from rogseg.engine.case_finding import BY_ID, cases_to_attack, fold_of_cases
from rogseg.engine.case_selection import parse_shard, selection_of, spread
from rogseg.engine.case_workers import CarriedCases, SystemNames, workers_at
from rogseg.engine.certifying.case_certifier import Certifying, CertifyWorker
from rogseg.engine.certifying.certification import evaluate_certificates
from rogseg.engine.certifying.settings import CertificateSettings, parse_groups
from rogseg.engine.console import make_console
from rogseg.engine.model.open_system import leak_of
from rogseg.engine.reporting import conclude
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.systems import Protocol

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
    console, asked = make_console(), SystemNames(system, task, device, cfg_options, trust)
    sigmas, taus = tuple(dict.fromkeys(sigma)), tuple(dict.fromkeys(tau))
    settings = CertificateSettings(sigmas, taus, alpha, selection_samples, samples, parse_groups(group))
    opened = asked.open()
    source = cases_to_attack(opened, data=data, task=task, cases=cases)
    chosen, parts = spread(source.case_ids, max_cases, case_seed), parse_shard(shard)
    directory = Path(out) if out else Path("work_dirs") / "certificates" / opened.system.identity.name
    how = Certifying(settings, directory.absolute(), protocol, seed, batch_size)
    worker = CertifyWorker(asked.of(opened.system), CarriedCases.of(source, chosen), how)
    with workers_at("noisy copies", worker, asked.device, num_workers, cluster, console) as (workers, progress):
        records = evaluate_certificates(
            opened.system,
            source,
            settings,
            directory,
            protocol=protocol,
            case_ids=chosen,
            selection=selection_of(max_cases, case_seed, BY_ID if cases else None),
            shard=parts,
            seed=seed,
            fold=fold_of_cases(opened, source.case_ids, data=data, task=task),
            leak=leak_of(opened, chosen, source.task, allow_seen=allow_seen),
            batch_size=batch_size,
            workers=workers,
            on_progress=progress.update,
        )
    conclude(records, (), console)
    return records
