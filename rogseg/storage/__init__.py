"""Raw task folders, stored cases, splits and atomic files."""

from rogseg.storage.atomic import (
    PARTIAL_PREFIX,
    atomic_directory,
    create_bytes_atomic,
    naming,
    remove_leftovers,
    write_bytes_atomic,
    write_json_atomic,
    write_text_atomic,
)
from rogseg.storage.case_properties import IN_MM, Axes, CaseProperties, RawForms
from rogseg.storage.folder_lock import folder_lock
from rogseg.storage.label_names import LabelNames, read_label_names
from rogseg.storage.msd_index import read_raw_task
from rogseg.storage.ownership import (
    TASK_RECORD,
    TaskRecord,
    foreign_entries,
    read_task_record,
    remove_known,
    write_task_record,
)
from rogseg.storage.raw_case import RawCase, RawTask, case_id_of, is_nifti, read_folder_of_images, read_folder_of_labels
from rogseg.storage.splits import Fold, extend_folds, make_folds, published_fold, seeded_folds, split_for_selection
from rogseg.storage.stored_case import CASE_FILES, StoredCase, write_stored_case
from rogseg.storage.stored_task import StoredTask, read_folds, write_folds, write_plan

__all__ = [
    "CASE_FILES",
    "IN_MM",
    "PARTIAL_PREFIX",
    "TASK_RECORD",
    "Axes",
    "CaseProperties",
    "Fold",
    "LabelNames",
    "RawCase",
    "RawForms",
    "RawTask",
    "StoredCase",
    "StoredTask",
    "TaskRecord",
    "atomic_directory",
    "case_id_of",
    "create_bytes_atomic",
    "extend_folds",
    "folder_lock",
    "foreign_entries",
    "is_nifti",
    "make_folds",
    "naming",
    "published_fold",
    "read_folder_of_images",
    "read_folder_of_labels",
    "read_folds",
    "read_label_names",
    "read_raw_task",
    "read_task_record",
    "remove_known",
    "remove_leftovers",
    "seeded_folds",
    "split_for_selection",
    "write_bytes_atomic",
    "write_folds",
    "write_json_atomic",
    "write_plan",
    "write_stored_case",
    "write_task_record",
    "write_text_atomic",
]
