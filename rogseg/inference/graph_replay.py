"""A network's passes replayed from CUDA graphs: the same kernels, launched as one."""

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rogseg.cases import LogitFn

__all__ = ["GraphReplay"]

WARM_UP = 3  # passes before a capture, in which libraries choose algorithms and take their memory
MOST_KINDS = 8  # of inputs; each holds the activations of a pass
TOLERANCE = 1e-4  # of the largest value


class GraphReplay:
    """A network on a GPU whose forward and backward pass are each recorded once and replayed from then on.

    A pass of a small window is several hundred kernels that take longer to launch than to run; a CUDA graph launches
    them together. What comes out is the network's own result: the first replay of each kind of input is compared with
    a plain pass. Logits and gradients are copies, so they may be kept; backward may be called later or repeatedly, and
    runs the forward pass again where another one came between. Gradients reach the inputs only.

    A network is called as it is on a CPU, under autocast, for more than eight kinds of input, and, with a warning,
    where it cannot be recorded or a replay differs from it: one that decides by values, draws at random, or is too
    large. Each network holds the activations of a pass for each kind of input, where plain passes let them go.

    Args:
        network: (B, C, D, H, W) -> logits (B, K, D, H, W), in evaluation mode; its weights stay where they are.
    """

    def __init__(self, network: LogitFn) -> None:
        self.network = network
        self._recorded: dict[tuple[Any, ...], _Recorded] = {}
        self._can_record = True

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W)."""
        recorded = self._record_of(inputs)
        if recorded is None:
            return self.network(inputs)
        if not recorded.with_gradient:
            return recorded.forward(inputs)
        logits: Tensor = _Replayed.apply(inputs, recorded)  # type: ignore[no-untyped-call]
        return logits

    def _record_of(self, inputs: Tensor) -> "_Recorded | None":
        """The graphs for such inputs, recorded the first time; None where the network is to be called as it is."""
        if not self._can_record or inputs.device.type != "cuda" or torch.is_autocast_enabled("cuda"):
            return None
        with_gradient = inputs.requires_grad and torch.is_grad_enabled()
        kind = (inputs.shape, inputs.dtype, inputs.device, with_gradient)
        if kind not in self._recorded and len(self._recorded) < MOST_KINDS:
            try:
                self._recorded[kind] = _Recorded(self.network, inputs, with_gradient)
            except RuntimeError as error:
                self._can_record = False
                self._recorded.clear()
                torch.cuda.empty_cache()
                warnings.warn(f"CUDA graphs do not serve this network, it runs without: {error}", stacklevel=3)
        return self._recorded.get(kind)


class _Recorded:
    """The graphs of one kind of input, and the tensors that they read and write."""

    def __init__(self, network: LogitFn, inputs: Tensor, with_gradient: bool) -> None:
        self.with_gradient = with_gradient
        self.replays = 0
        with torch.inference_mode(False), torch.set_grad_enabled(with_gradient), torch.cuda.device(inputs.device):
            self._record(network, inputs.detach().clone().requires_grad_(with_gradient))

    def _record(self, network: LogitFn, inputs: Tensor) -> None:
        """Plain passes, the same recorded for zeros, and a replay for the inputs, all on a stream of its own."""
        before, stream = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(before)
        try:
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP):
                    plain = plain_gradient = None  # only one pass is held at a time
                    plain = network(inputs)
                    if self.with_gradient:
                        plain_gradient = _gradient(plain, inputs, torch.ones_like(plain))
            assert plain is not None, "there is at least one pass"
            plain = plain.detach()
            # Zeros, so that a graph that recorded nothing is found out below.
            self._inputs = torch.zeros_like(inputs).requires_grad_(self.with_gradient)
            self._upstream = torch.zeros_like(plain)
            stream.wait_stream(before)
            self._forward = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._forward, stream=stream):
                self._logits = network(self._inputs)
            if self.with_gradient:
                self._backward = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self._backward, pool=self._forward.pool(), stream=stream):
                    self._gradient = _gradient(self._logits, self._inputs, self._upstream)
        finally:
            torch.cuda.set_stream(before)  # a recording that fails leaves its own stream behind
        before.wait_stream(stream)
        self._compare(self.forward(inputs.detach()), plain, "logits")
        if plain_gradient is not None:
            self._compare(self.backward(torch.ones_like(plain)), plain_gradient, "gradients")

    @staticmethod
    def _compare(replayed: Tensor, plain: Tensor, what: str) -> None:
        if not bool((replayed - plain).abs().max() <= TOLERANCE * plain.abs().max()):
            raise RuntimeError(f"its {what} and those of a replay differ")

    @torch.no_grad()
    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of inputs of this kind."""
        self.replays += 1
        self._inputs.copy_(inputs)
        self._forward.replay()
        return self._logits.detach().clone()

    @torch.no_grad()
    def backward(self, upstream: Tensor) -> Tensor:
        """The gradient for the inputs of the last forward pass."""
        self._upstream.copy_(upstream)
        self._backward.replay()
        return self._gradient.clone()


class _Replayed(torch.autograd.Function):
    """A replay as a step of autograd."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, recorded: _Recorded) -> Tensor:
        ctx.save_for_backward(inputs)
        ctx.recorded = recorded
        logits = recorded.forward(inputs)
        ctx.replay = recorded.replays
        return logits

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (inputs,) = ctx.saved_tensors
        (upstream,) = gradients
        recorded: _Recorded = ctx.recorded
        if recorded.replays != ctx.replay:
            recorded.forward(inputs)
            ctx.replay = recorded.replays
        return recorded.backward(upstream), None


def _gradient(logits: Tensor, inputs: Tensor, upstream: Tensor) -> Tensor:
    """Saved activations are kept, so that a recorded backward pass can be replayed more than once."""
    (gradient,) = torch.autograd.grad(logits, inputs, upstream, retain_graph=True)
    return gradient
