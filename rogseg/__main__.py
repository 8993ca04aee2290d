"""``python -m rogseg``, where the command ``rogseg`` is not on the path."""

import sys

from rogseg.commands import main
from rogseg.workers.spawning import follow_starter

if __name__ == "__main__":
    follow_starter()
    sys.exit(main())
