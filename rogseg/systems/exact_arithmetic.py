"""How a GPU computes while a system is evaluated: in true float32, and the same each time."""

import torch

__all__ = ["compute_exactly"]


def compute_exactly(device: torch.device | str) -> None:
    """Turn TF32 off for the process where a system is on a GPU, and let cuDNN take algorithms that repeat themselves.

    TF32 rounds what convolutions multiply to ten bits, by PyTorch's default, and the gradient that an attack follows
    with them. Algorithms that are chosen by timing differ from run to run, and some add up in any order. Every kind of
    system calls this when it is opened; a training does not, and keeps TF32.

    What remains are PyTorch's own kernels that add up by atomics: the gradients of trilinear interpolation (ROG,
    C2FNAS) and of sampled planes (MPUNet). Two runs of an attack on them may differ in the last bits.
    """
    if torch.device(device).type != "cuda":
        return
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
