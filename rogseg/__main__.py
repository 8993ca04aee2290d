"""``python -m rogseg``, where the command ``rogseg`` is not on the path."""

import sys

from rogseg.commands import main

if __name__ == "__main__":
    sys.exit(main())
