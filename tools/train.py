"""Train a network; the task is preprocessed first where that has not been done."""

import argparse
import sys
from pathlib import Path

from rogseg.command_line import exit_status


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Several processes: torchrun --nproc-per-node 2 tools/train.py CONFIG --launcher pytorch",
    )
    parser.add_argument("config", type=Path, help="for instance configs/rog/rog_standard_liver.py")
    parser.add_argument("--task", type=Path, help="folder that tools/preprocess.py made, for a task of one's own")
    parser.add_argument("--work-dir", type=Path, help="default: work_dirs/<config>/<task>_fold<fold>")
    parser.add_argument("--resume", action="store_true", help="go on from the work directory's last checkpoint, if any")
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    parser.add_argument("--launcher", choices=["none", "pytorch"], default="none", help="pytorch: started by torchrun")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="override keys of the config, e.g. data_root=/data/msd train_cfg.max_epochs=100 fold=1",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = build_parser().parse_args(arguments)
    from rogseg.engine.config.load import parse_overrides
    from rogseg.engine.training.train import disconnect, train_config

    def train() -> None:
        overrides = {"launcher": options.launcher, **parse_overrides(options.cfg_options)}
        if options.work_dir is not None:
            overrides["work_dir"] = str(options.work_dir)
        if options.device is not None:
            overrides["device"] = options.device
        if options.resume:
            overrides["resume"] = True
        train_config(options.config, overrides, options.task)
        disconnect()

    return exit_status("train.py", train, "stopped; --resume goes on from the end of the last epoch")


if __name__ == "__main__":
    sys.exit(main())
