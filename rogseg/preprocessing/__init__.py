"""From raw NIfTI volumes to stored cases."""

from rogseg.preprocessing.case_preprocessing import Preprocessed, preprocess_case, preprocess_volume
from rogseg.preprocessing.fingerprint import Fingerprint, compute_fingerprint
from rogseg.preprocessing.itk_file import files_of
from rogseg.preprocessing.nifti import write_image, write_label
from rogseg.preprocessing.orientation import most_common_orientation
from rogseg.preprocessing.pipeline import note_lines, preprocess_task
from rogseg.preprocessing.plan_wishes import PlanWishes
from rogseg.preprocessing.planner import plan_geometry
from rogseg.preprocessing.raw_grid import (
    is_resampled,
    labels_to_raw_grid,
    maps_to_raw_grid,
    moves_to_raw_grid,
    network_axes,
    network_spacing,
    probabilities_to_raw_grid,
)
from rogseg.preprocessing.raw_reading import open_raw, orientations_of, read_image, read_label
from rogseg.preprocessing.shipped_plans import choose_plan, find_shipped_plan
from rogseg.preprocessing.source_digest import (
    digest_case,
    digest_files,
    refuse_changed_sources,
    refuse_other_plan,
    touched_since_stored,
)
from rogseg.preprocessing.task_folder import kept_plan
from rogseg.preprocessing.volume import Volume

__all__ = [
    "Fingerprint",
    "PlanWishes",
    "Preprocessed",
    "Volume",
    "choose_plan",
    "compute_fingerprint",
    "digest_case",
    "digest_files",
    "files_of",
    "find_shipped_plan",
    "is_resampled",
    "kept_plan",
    "labels_to_raw_grid",
    "maps_to_raw_grid",
    "most_common_orientation",
    "moves_to_raw_grid",
    "network_axes",
    "network_spacing",
    "note_lines",
    "open_raw",
    "orientations_of",
    "plan_geometry",
    "preprocess_case",
    "preprocess_task",
    "preprocess_volume",
    "probabilities_to_raw_grid",
    "read_image",
    "read_label",
    "refuse_changed_sources",
    "refuse_other_plan",
    "touched_since_stored",
    "write_image",
    "write_label",
]
