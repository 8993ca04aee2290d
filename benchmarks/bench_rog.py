"""ROG against plain ROG: a forward pass, one attack step, a training step, peak memory, accuracy.

Each network lives in a process of its own and both are asked in turn, so that a slow spell of the machine meets both;
the fastest round counts. ROG's process keeps freed memory, as the tools do. With one thread the clock is processor
time, which other programs do not lengthen.

    python -m benchmarks.bench_rog [--device cuda] [--threads 2] [--cases 4] [--rounds 3]
"""

import argparse
import functools
import multiprocessing
from multiprocessing.connection import Connection

import torch
from torch import Tensor, nn

from benchmarks.measuring import peak, reset_peak, seconds
from benchmarks.plain_rog import PlainROG, copy_parameters
from benchmarks.rows import print_row
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.models import Segmentor

PATCH = (32, 48, 32)
SMALL_PATCH = (16, 24, 16)  # float64 is slow
STRIDES = [(1, 1, 1), (1, 1, 1), (2, 2, 2)]
ROWS = {"forward": 2.5, "input gradient": 3.0, "training step": 3.0}
MAX_MEMORY_RATIO, MAX_ERROR = 0.7, 1e-4


def make(kind: str) -> nn.Module:
    """The hippocampus plan's network with the same parameters for every kind."""
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
    if kind == "rog":
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


def ask(connections: dict[str, Connection], row: str, rounds: int) -> dict[str, float]:
    """The smallest answer of each network over some rounds, asked in turn."""
    answers: dict[str, list[float]] = {kind: [] for kind in connections}
    for _ in range(rounds):
        for kind, connection in connections.items():
            connection.send(row)
            answers[kind].append(connection.recv())
    return {kind: min(values) for kind, values in answers.items()}


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
    device, context = arguments.device, multiprocessing.get_context("spawn")
    connections: dict[str, Connection] = {}
    for kind in ("plain", "rog"):
        connections[kind], other = context.Pipe()
        options = (other, kind, device, arguments.threads, arguments.cases)
        context.Process(target=serve, args=options, daemon=True).start()
    print(f"{arguments.cases} cases of {PATCH}, device {device}, {arguments.threads} threads")
    # First of all: later the process that keeps freed memory has no new peak to show.
    memory = ask(connections, "peak", 1)
    ratio = memory["rog"] / memory["plain"]
    sizes = f"{memory['rog'] / 2**20:.0f} MiB, plain {memory['plain'] / 2**20:.0f} MiB"
    print_row("peak memory of a training step", f"{sizes}, ratio {ratio:.2f}", f"at most {MAX_MEMORY_RATIO}")
    for row, bar in ROWS.items():
        times = ask(connections, row, arguments.rounds)
        gain = times["plain"] / times["rog"]
        measured = f"{times['rog']:.2f} s, plain {times['plain']:.2f} s, {gain:.2f} times faster"
        print_row(row, measured, f"at least {bar}")
    for connection in connections.values():
        connection.send("end")
    for name, error in errors(device).items():
        print_row(f"relative error of {name} against float64", f"{error:.1e}", f"at most {MAX_ERROR}")


if __name__ == "__main__":
    main()
