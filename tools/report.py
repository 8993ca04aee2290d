"""``rogseg report``, from a clone."""

import sys
from functools import partial

from rogseg.commands import run_command

main = partial(run_command, "report", program="report.py")

if __name__ == "__main__":
    sys.exit(main())
