import torch

from benchmarks.bench_attack_overhead import MAX_MEMORY_RATIO, bare_pass, network
from benchmarks.live_tensors import peak_bytes
from rogseg.attacks import APGD, DiceBelow, LinfThreat
from rogseg.cases import IntensityBox


def test_apgd_holds_few_volumes_and_no_graph_beside_one_pass() -> None:
    """Counted in tensors alive, so the same on every machine; two cases, so that best iterates mix."""
    model = network(2, 3, 12).requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    inputs = 2 * torch.rand(2, 2, 12, 12, 12, generator=generator) - 1
    targets = torch.randint(3, (2, 12, 12, 12), generator=generator)
    known = [inputs, targets, *model.parameters()]
    threat = LinfThreat.from_fraction(8 / 255, IntensityBox.per_channel([-1.0, -1.0], [1.0, 1.0]))
    cpu = torch.device("cpu")
    bare = peak_bytes(lambda: bare_pass(model, inputs, targets), known, cpu)
    assert bare > 10 * 2 * 12 * 12**3 * 4  # a network keeps over ten feature maps: the count sees them
    attack = peak_bytes(
        lambda: APGD(num_iterations=6)(model, inputs, targets, threat, DiceBelow(0.4), generator=generator), known, cpu
    )
    assert bare < attack <= MAX_MEMORY_RATIO * bare
