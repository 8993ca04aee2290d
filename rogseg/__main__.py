"""``python -m rogseg``, where the command ``rogseg`` is not on the path."""

import sys

from rogseg.command_line import follow_starter
from rogseg.commands import main

if __name__ == "__main__":
    follow_starter()
    sys.exit(main())
