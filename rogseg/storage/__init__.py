"""Raw task folders, stored cases, splits and atomic files."""

from rogseg.storage.atomic import atomic_directory, remove_leftovers, write_bytes_atomic, write_json_atomic
from rogseg.storage.case_properties import CaseProperties
from rogseg.storage.msd_index import read_raw_task
from rogseg.storage.raw_case import RawCase, RawTask, case_id_of, read_folder_of_images
from rogseg.storage.splits import Fold, make_folds, published_fold, seeded_folds, split_for_selection
from rogseg.storage.stored_case import StoredCase, write_stored_case
from rogseg.storage.stored_task import StoredTask, write_folds, write_plan

__all__ = [
    "CaseProperties",
    "Fold",
    "RawCase",
    "RawTask",
    "StoredCase",
    "StoredTask",
    "atomic_directory",
    "case_id_of",
    "make_folds",
    "published_fold",
    "read_folder_of_images",
    "read_raw_task",
    "remove_leftovers",
    "seeded_folds",
    "split_for_selection",
    "write_bytes_atomic",
    "write_folds",
    "write_json_atomic",
    "write_plan",
    "write_stored_case",
]
