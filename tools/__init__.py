"""The subcommands of ``rogseg``, to be run from a clone."""
