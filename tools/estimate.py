"""``rogseg estimate``, from a clone."""

import sys
from functools import partial

from rogseg.commands import run_command

main = partial(run_command, "estimate", program="estimate.py")

if __name__ == "__main__":
    sys.exit(main())
