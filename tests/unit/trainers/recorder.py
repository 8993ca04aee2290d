"""A linear model that remembers what it was trained on."""

from torch import Tensor

from tests.unit.trainers.linear_model import LinearModel


class Recorder(LinearModel):
    """Keeps every input it sees in training mode; crafting happens in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(
        self, inputs: Tensor, targets: Tensor | None = None, mode: str = "tensor"
    ) -> Tensor | dict[str, Tensor]:
        if self.training:
            self.seen.append(inputs.detach().clone())
        return super().forward(inputs, targets, mode)
