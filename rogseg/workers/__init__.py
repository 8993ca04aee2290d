"""Independent jobs in several processes or on a cluster; one caller gets their results."""

from rogseg.workers.base import InThisProcess, Job, Workers
from rogseg.workers.case_worker import Opener
from rogseg.workers.opening import open_workers

__all__ = ["InThisProcess", "Job", "Opener", "Workers", "open_workers"]
