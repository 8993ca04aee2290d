"""``rogseg estimate``: memory and time, told beforehand."""

import argparse
from pathlib import Path

from rogseg.commands import add_keys, given_options

DESCRIPTION = "Tell what a training and an attack will cost in memory and time, before running either."
EPILOG = "Needs no data and no checkpoint. Seconds are those of the device that it runs on."

OF_TASKS = {"--cluster", "--calibrate", "--calibration", "--tasks"}
OF_TIMING = {"--seconds", "--device"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The config, the attack, and what to plan for."""
    parser.add_argument("config", nargs="?", help="config of the network: a file, or a name such as rog_standard_liver")
    parser.add_argument("--task", help="folder of the stored task: its plan, cases and their sizes")
    parser.add_argument(
        "--gpu-memory", metavar="12GB", help="of the GPU to plan for; default: what is free on this one"
    )
    parser.add_argument(
        "--volume", metavar="512x512x300", help="size on the network's grid; default: the stored cases' median"
    )
    parser.add_argument("--attack", default="apgd_ce", help="config of the attack (default: apgd_ce)")
    add_keys(parser, "--attack-options", "e.g. attack.num_iterations=5")
    parser.add_argument("--seconds", type=float, default=60.0, help="longest calibration (default: 60)")
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    add_keys(parser, "--cfg-options", "override keys of the config")
    many = parser.add_argument_group("ten tasks on many devices, instead of one config")
    many.add_argument("--cluster", metavar="8xA100", help="hours of trainings and attacks on so many such devices")
    many.add_argument("--calibration", type=Path, help="what --calibrate wrote on such a device; else this is timed")
    many.add_argument("--calibrate", type=Path, metavar="FILE", help="time the networks of the tasks here, and keep it")
    many.add_argument("--tasks", nargs="+", metavar="TASK", help="some of them, such as liver (default: all ten)")


def run(options: argparse.Namespace) -> None:
    """Estimate and print the table."""
    given = given_options(options, add_arguments)
    chosen = {name: vars(options).pop(name) for name in ("cluster", "calibration", "calibrate", "tasks")}
    if chosen["cluster"] is not None or chosen["calibrate"] is not None:
        if options.config is not None:
            raise ValueError(f"{options.config}: --cluster and --calibrate are for the ten tasks, name no config")
        _refuse_without_effect(given, chosen["calibration"])
        _of_tasks(seconds=options.seconds, device=options.device, **chosen)
        return
    for name in ("calibration", "tasks"):
        if chosen[name] is not None:
            raise ValueError(f"--{name} belongs to --cluster or --calibrate")
    if options.config is None:
        raise ValueError("name the config of a network, or a number of devices with --cluster")
    from rogseg.engine.costs.config_costs import estimate_costs
    from rogseg.shipped_configs import find_config

    options.config = find_config(options.config, "network")
    options.attack = find_config(options.attack, "attack")
    estimate_costs(**vars(options))


def _refuse_without_effect(given: set[str], calibration: Path | None) -> None:
    if "--calibrate" in given and calibration is not None:
        raise ValueError(
            f"--calibration {calibration} has no effect, since --calibrate times anew: leave one of them out"
        )
    if without_effect := given - OF_TASKS - OF_TIMING:
        raise ValueError(
            f"{min(without_effect)} has no effect with --cluster and --calibrate: leave it out; the networks, attacks "
            "and volumes are those of the ten tasks"
        )
    if calibration is not None and (without_effect := given & OF_TIMING):
        raise ValueError(
            f"{min(without_effect)} has no effect: leave it out; nothing is timed, {calibration} has it all"
        )


def _of_tasks(
    *,
    cluster: str | None,
    calibration: Path | None,
    calibrate: Path | None,
    tasks: list[str] | None,
    seconds: float,
    device: str | None,
) -> None:
    from rogseg.engine.costs.cluster_costs import TASKS, calibrate_device, estimate_cluster

    if calibrate is not None:
        calibrate_device(calibrate, tasks=tasks or TASKS, seconds=seconds, device=device)
    if cluster is not None:
        estimate_cluster(
            cluster, calibration=calibrate or calibration, tasks=tasks or TASKS, seconds=seconds, device=device
        )
