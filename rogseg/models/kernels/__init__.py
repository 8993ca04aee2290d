"""What makes ROG fast on a CPU: one file per trick, each with its reason and its measured gain.

``swish_conv_norm`` is the only name that networks use; it alone decides between the kernels here and PyTorch's own.
Gains are ratios of CPU seconds on one core (AMD EPYC with AVX2, 64 channels, one case of 32x48x32), measured by
``benchmarks/kernels.py``.
"""

from rogseg.models.kernels.dispatch import instance_norm, pointwise, swish_conv_norm

__all__ = ["instance_norm", "pointwise", "swish_conv_norm"]
