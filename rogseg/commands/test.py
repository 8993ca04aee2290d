"""``rogseg test``: predictions and their accuracy."""

import argparse
from pathlib import Path

from rogseg.argument_parser import inside
from rogseg.commands import add_few_cases_arguments, add_run_arguments, add_system_argument, fold_number, given_options

DESCRIPTION = (
    "Segment cases with a system, or take label maps that are there; measure Dice, NSD and HD95 in the raw grid."
)
EPILOG = "Run it again with the same arguments after an interruption: finished cases are not done again."
IF_INTERRUPTED = "stopped; the same command goes on after the last finished case"

FOR_PREDICTIONS = {"--predictions", "--labels", "--tolerance", "--out"}
# Each says itself which cases are taken, so that these have no effect beside it.
SAID_BY = {
    "--images": {"--cases", "--data", "--fold", "--submission"},
    "--submission": {"--cases", "--max-cases", "--case-seed"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The system, the cases, and where results go."""
    add_system_argument(parser, optional=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of predictions, records and tables")
    parser.add_argument(
        "--cases",
        nargs="+",
        default=["validation"],
        help="validation (default: labelled cases that trainings of the fold keep back), test (those without a label), "
        "all (both), or ids of cases",
    )
    add_few_cases_arguments(parser)
    parser.add_argument("--images", type=Path, help="a plain folder of NIfTI files to predict instead")
    parser.add_argument(
        "--data",
        "--raw",
        type=Path,
        help="folder of the raw task (default: data_root/TASK of the config, "
        "which must be what the stored task was made from)",
    )
    parser.add_argument("--task", type=Path, help="folder of the stored task (default: stored_root/TASK)")
    parser.add_argument(
        "--fold", metavar="N|all", help="of the task's folds; all measures each fold's network on its own cases"
    )
    parser.add_argument(
        "--predictions", type=Path, help="a folder of label maps to measure against --labels, in place of a system"
    )
    parser.add_argument("--labels", type=Path, help="folder of the label files for --predictions")
    parser.add_argument(
        "--tolerance", type=inside(0), metavar="MM", help="of NSD, with --predictions; default: the coarsest spacing"
    )
    parser.add_argument(
        "--save-probabilities", action="store_true", help="also write the probability of each class, as 4-D NIfTI"
    )
    parser.add_argument("--submission", action="store_true", help="predict the test cases and pack them for the MSD")
    parser.add_argument(
        "--choose-postprocessing",
        action="store_true",
        help="first find out on the cases that selected the checkpoint which class it helps; recorded beside it",
    )
    add_run_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Predict and measure, or measure what is there."""
    given, arguments = given_options(options, add_arguments), vars(options)
    fold, predictions, labels, tolerance = (
        arguments.pop(name) for name in ("fold", "predictions", "labels", "tolerance")
    )
    if (predictions is None) != (labels is None) or (predictions is not None) == bool(options.system):
        raise ValueError("name a system to test, or give both --predictions and --labels to measure what is there")
    if predictions is not None:
        if without_effect := given - FOR_PREDICTIONS:
            raise ValueError(
                f"{min(without_effect)} has no effect on what lies in {predictions}: leave it out; every prediction "
                "that has a label is measured"
            )
        from rogseg.engine.accuracy.score_command import score_predictions

        score_predictions(predictions, labels, options.out, tolerance=tolerance)
        return
    for option, others in SAID_BY.items():
        if option in given and (without_effect := given & others):
            raise ValueError(f"{min(without_effect)} has no effect beside {option}, which says what is segmented")
    if tolerance is not None:
        raise ValueError(
            "--tolerance is for --predictions; a system is measured at its own, or by measures of its config"
        )
    from rogseg.engine.accuracy.segment_command import segment_all_folds, segment_cases

    if fold == "all":
        segment_all_folds(**arguments)
        return
    if fold is None:
        segment_cases(**arguments)
        return
    arguments["cfg_options"] = [*arguments["cfg_options"], f"fold={fold_number(fold)}"]
    from rogseg.engine.config.keys import ConfigKeyError

    try:
        segment_cases(**arguments)
    except ConfigKeyError as fault:
        if fault.key != "fold":
            raise
        raise ValueError(f"--fold {fold}: fold {fault.problem}") from fault
