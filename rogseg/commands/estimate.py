"""``rogseg estimate``: memory and time, told beforehand."""

import argparse

DESCRIPTION = "Tell what a training and an attack will cost in memory and time, before running either."
EPILOG = "Needs no data and no checkpoint. Seconds are those of the device that it runs on."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The config, the attack, and what to plan for."""
    parser.add_argument("config", help="config of the network: a file, or a name such as rog_standard_liver")
    parser.add_argument("--task", help="folder of the stored task: its plan, cases and their sizes")
    parser.add_argument(
        "--gpu-memory", metavar="12GB", help="of the GPU to plan for; default: what is free on this one"
    )
    parser.add_argument("--volume", metavar="512x512x300", help="size of a volume; default: the stored cases' median")
    parser.add_argument("--attack", default="apgd_ce", help="config of the attack (default: apgd_ce)")
    parser.add_argument(
        "--attack-options", nargs="+", default=[], metavar="KEY=VALUE", help="e.g. attack.num_iterations=5"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="longest calibration (default: 60)")
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="override keys of the config")


def run(options: argparse.Namespace) -> None:
    """Estimate and print the table."""
    from rogseg.engine.costs.config_costs import estimate_costs
    from rogseg.shipped_configs import find_config

    options.config = find_config(options.config, "network")
    options.attack = find_config(options.attack, "attack")
    estimate_costs(**vars(options))
