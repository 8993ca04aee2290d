"""What makes ROG fast on a CPU: one file per trick, each with its reason and its measured gain.

Networks use the names below; ``dispatch`` alone decides between the kernels here and PyTorch's own. Gains are CPU
times on one AVX2 core (AMD EPYC, shared with other programs, the fastest of several runs) for one case of 32x48x32 with
64 channels in float32; ``benchmarks/bench_rog.py`` measures the whole network.
"""

from rogseg.models.kernels.dispatch import fast_memory_format, instance_norm, pointwise, swish_conv_norm

__all__ = ["fast_memory_format", "instance_norm", "pointwise", "swish_conv_norm"]
