import subprocess
import sys

import pytest

# In a process of its own, because the setting cannot be taken back. A block of 64 MB is filled and freed again and
# again: mapped afresh it faults in every page each time, kept it faults them in once.
PROGRAM = """
import ctypes, resource, sys
from rogseg.engine.device import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    print(-1)
    sys.exit()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
size = 64 << 20
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    block = libc.malloc(ctypes.c_size_t(size))
    ctypes.memset(block, 1, size)
    libc.free(ctypes.c_void_p(block))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(setting: str) -> int:
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, setting], capture_output=True, text=True, check=True
    )
    return int(out.stdout)


@pytest.mark.check
def test_freed_blocks_are_not_mapped_again() -> None:
    kept = faults("keep")
    if kept == -1:
        pytest.skip("this C library has no mallopt")
    assert kept < 0.5 * faults("default")
