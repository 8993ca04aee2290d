"""Reports: tables, figures, the HTML page and the evidence pack, from records."""

from rogseg.report.contents import Contents
from rogseg.report.volumes import SavedVolume
from rogseg.report.write_report import ReportPaths, write_report

__all__ = ["Contents", "ReportPaths", "SavedVolume", "write_report"]
