"""ROG against plain ROG: a forward pass, one attack step, a training step, peak memory, accuracy.

For each row every network has a new process, and they are asked in turn, so that a slow spell of the machine meets all
of them; the fastest round counts. ROG's process keeps freed memory, as the tools do, and a plain one does not; a second
plain one, which does, shows what is left of the gain to the kernels. With one thread the clock is processor time, which
other programs do not lengthen.

    python -m benchmarks.bench_rog [--device cuda] [--threads 2] [--cases 4] [--rounds 3]
"""

import argparse
import functools
import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection

import torch
from torch import Tensor, nn

from benchmarks.measuring import peak, reset_peak, seconds
from benchmarks.plain_rog import PlainROG, copy_parameters
from benchmarks.rows import print_row
from rogseg.engine.device import keep_freed_memory
from rogseg.models import Segmentor

PATCH = (32, 48, 32)
SMALL_PATCH = (16, 24, 16)  # float64 is slow
STRIDES = [(1, 1, 1), (1, 1, 1), (2, 2, 2)]
ROWS = {"forward": 2.5, "input gradient": 3.0, "training step": 3.0}
MAX_MEMORY_RATIO, MAX_ERROR = 0.7, 1e-4
PLAIN_KEEPING = "plain keeping freed memory"


def make(kind: str) -> nn.Module:
    """The hippocampus plan's network with the same parameters for every kind, ``rog`` or a plain one."""
    torch.manual_seed(0)
    rog = Segmentor(
        {"type": "ROG", "in_channels": 1, "strides": STRIDES}, {"type": "ROGHead", "num_classes": 3, "scale": (1, 1, 1)}
    )
    if kind == "rog":
        return rog
    plain = PlainROG(1, 3, STRIDES)
    copy_parameters(rog, plain)
    return plain


def batch(cases: int, patch: tuple[int, int, int] = PATCH) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(cases, 1, *patch, generator=generator), torch.randint(3, (cases, *patch), generator=generator)


def run(row: str, model: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    """One pass of a row's kind; gradients are dropped."""
    if row == "forward":
        with torch.no_grad():
            model(inputs)
        return
    training = row == "training step"
    model.requires_grad_(training)
    leaf = inputs.clone().requires_grad_(not training)
    loss = nn.functional.cross_entropy(model(leaf), targets)
    torch.autograd.grad(loss, list(model.parameters()) if training else [leaf])


def serve(connection: Connection, kind: str, device: str, threads: int, cases: int) -> None:
    """Time whatever row is asked for; ``peak`` asks for the memory that a training step adds [bytes]."""
    torch.set_num_threads(threads)
    if kind != "plain":
        keep_freed_memory()
    model = make(kind).to(device)
    inputs, targets = (tensor.to(device) for tensor in batch(cases))
    while (row := connection.recv()) != "end":
        if row == "peak":
            before = reset_peak(device)
            run("training step", model, inputs, targets)
            connection.send(peak(device) - before)
            continue
        connection.send(seconds(functools.partial(run, row, model, inputs, targets), device))


def ask(row: str, kinds: Sequence[str], rounds: int, *options: object, warm: bool = True) -> list[float]:
    """The smallest answer of each kind over some rounds, asked in turn.

    Args:
        row: what to measure.
        kinds: of networks, each in a new process.
        rounds: those that count.
        options: device, threads and cases of `serve`.
        warm: whether a round that does not count comes first.
    """
    context = multiprocessing.get_context("spawn")
    connections = []
    for kind in kinds:
        connection, other = context.Pipe()
        context.Process(target=serve, args=(other, kind, *options), daemon=True).start()
        connections.append(connection)
    answers: list[list[float]] = []
    for _ in range(warm + rounds):
        answers.append([])
        for connection in connections:
            connection.send(row)
            answers[-1].append(connection.recv())
    for connection in connections:
        connection.send("end")
    return [min(values) for values in zip(*answers[-rounds:], strict=True)]


def errors(device: str) -> dict[str, float]:
    """Relative errors of logits, input gradient and all gradients of one case against plain ROG in float64."""
    inputs, targets = (tensor.to(device) for tensor in batch(1, SMALL_PATCH))
    found: list[list[Tensor]] = []
    for model, values in ((make("plain").double(), inputs.double()), (make("rog"), inputs)):
        model.to(device)
        leaf = values.clone().requires_grad_()
        logits = model(leaf)
        loss = nn.functional.cross_entropy(logits, targets)
        of_inputs, *of_weights = torch.autograd.grad(loss, [leaf, *model.parameters()])
        found.append([logits.detach(), of_inputs, torch.cat([gradient.flatten() for gradient in of_weights])])
    names = ("logits", "input gradient", "weight gradients")
    pairs = zip(names, *found, strict=True)
    return {name: float((value.double() - exact).norm() / exact.norm()) for name, exact, value in pairs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    device, options = arguments.device, (arguments.device, arguments.threads, arguments.cases)
    print(f"{arguments.cases} cases of {PATCH}, device {device}, {arguments.threads} threads")
    # Where freed memory is kept, only the first step has a peak to show.
    plain, ours = (size / 2**20 for size in ask("peak", ("plain", "rog"), 1, *options, warm=False))
    sizes = f"{ours:.0f} MiB, plain {plain:.0f} MiB"
    print_row("peak memory of a training step", f"{sizes}, ratio {ours / plain:.2f}", f"at most {MAX_MEMORY_RATIO}")
    for row, bar in ROWS.items():
        plain, keeping, ours = ask(row, ("plain", PLAIN_KEEPING, "rog"), arguments.rounds, *options)
        for name, other, wanted in ((row, plain, f"at least {bar}"), (f"{row}, {PLAIN_KEEPING}", keeping, "")):
            print_row(name, f"{ours:.2f} s, plain {other:.2f} s, {other / ours:.2f} times faster", wanted)
    for name, error in errors(device).items():
        print_row(f"relative error of {name} against float64", f"{error:.1e}", f"at most {MAX_ERROR}")


if __name__ == "__main__":
    main()
