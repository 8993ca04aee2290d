"""Reports: tables, figures, the HTML page and the evidence pack, from records."""

from rogseg.report.contents import Contents
from rogseg.report.volumes import SavedVolume
from rogseg.report.write_report import ReportPaths, refuse_folder_of_others, write_report

__all__ = ["Contents", "ReportPaths", "SavedVolume", "refuse_folder_of_others", "write_report"]
