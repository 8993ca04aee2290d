"""Where raw data comes from: the public archives and a phantom generator."""

from rogseg.sources.phantom import PhantomTask, write_phantom_task

__all__ = ["PhantomTask", "write_phantom_task"]
