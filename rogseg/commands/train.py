"""``rogseg train``: from a config to a trained network."""

import argparse
from pathlib import Path

from rogseg.argument_parser import inside
from rogseg.commands import add_keys, fold_number

DESCRIPTION = "Train a network; the task is preprocessed first where that has not been done."
EPILOG = "Several processes: torchrun --nproc-per-node 2 -m rogseg train CONFIG --launcher pytorch"
IF_INTERRUPTED = "stopped; --resume goes on from the end of the last epoch, if one was done"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The config, its task, and where it runs."""
    parser.add_argument("config", help="a file, or a name such as rog_standard_liver")
    parser.add_argument("--task", type=Path, help="folder that rogseg preprocess made, for a task of one's own")
    parser.add_argument("--work-dir", type=Path, help="default: work_dirs/<config>/<task>_fold<fold>")
    parser.add_argument(
        "--fold",
        metavar="N|all",
        help="of the task's folds; all trains one network after the other, each below --work-dir (default: "
        "work_dirs/<config>), and goes on where it stopped",
    )
    parser.add_argument(
        "--minutes",
        type=inside(0),
        help="one cycle of the learning rate that fits this time, found by timing the network",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the work directory's last checkpoint, if any")
    parser.add_argument("--overwrite", action="store_true", help="start again where a training is, which is lost")
    parser.add_argument("--allow", nargs="+", metavar="NAME", help="settings that may differ from what is resumed")
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    parser.add_argument("--launcher", choices=["none", "pytorch"], default="none", help="pytorch: started by torchrun")
    add_keys(
        parser, "--cfg-options", "override keys of the config, e.g. data_root=/data/msd train_cfg.max_epochs=100 fold=1"
    )


def run(options: argparse.Namespace) -> None:
    """Train to the end."""
    from rogseg.engine.config.load import load_config, parse_overrides
    from rogseg.engine.training.processes import disconnect
    from rogseg.engine.training.train import train_config
    from rogseg.shipped_configs import find_config

    keys = parse_overrides(options.cfg_options)
    for name in ("work_dir", "device", "fold", "allow"):
        if getattr(options, name) is not None and name in keys:
            raise ValueError(f"--{name.replace('_', '-')} and --cfg-options {name}=... say the same; leave one out")
    overrides = {"launcher": options.launcher, **keys}
    if options.work_dir is not None:
        overrides["work_dir"] = str(options.work_dir)
    if options.device is not None:
        overrides["device"] = options.device
    overrides |= {name: True for name in ("resume", "overwrite") if getattr(options, name)}
    if options.allow:
        overrides["allow"] = options.allow
    if options.fold is not None and options.fold != "all":
        overrides["fold"] = fold_number(options.fold)
    config = find_config(options.config, "network")
    if options.fold == "all":
        from rogseg.engine.costs.all_folds import train_all_folds

        train_all_folds(config, overrides, options.task, options.minutes)
        return
    if options.minutes is not None:
        from rogseg.engine.costs.fit_minutes import fit_minutes

        overrides |= fit_minutes(load_config(config, overrides, options.task), options.minutes, options.task)
    train_config(config, overrides, options.task, options.minutes)
    disconnect()
