"""The tables of certificates: Dice by radius, and Dice and volume of each class."""

from collections.abc import Sequence

from rogseg.report.contents import Contents
from rogseg.report.tables.table import Cell, ReportTable
from rogseg.report.views.certificates import certificate_view

__all__ = ["certificate_tables"]

OF_SMOOTHED = "Certified is the smoothed network, the majority over noisy copies, not the network itself."


def certificate_tables(contents: Contents, notes: Sequence[str]) -> tuple[ReportTable, ...]:
    """Both tables; none where nothing was certified."""
    view = certificate_view(contents)
    if view is None:
        return ()
    whole: list[tuple[Cell, ...]] = []
    regions: list[tuple[Cell, ...]] = []
    for line in view.lines:
        first = line.first
        key: tuple[Cell, ...] = (line.row.system, first.sigma, first.tau)
        bounds = (line.smoothed, line.lower, line.upper, line.accuracy, line.abstained, line.fell_back)
        whole.append((*key, first.radius, 255 * line.rms_mean, len(line.row.cases), *bounds))
        for region in line.regions:
            shares = (region.lower, region.upper, region.certified, region.abstained)
            regions.append((*key, region.name, *shares, *region.volumes))
    label, notes = contents.primary.label, (*notes, OF_SMOOTHED)
    return (
        ReportTable(
            "certificates",
            f"{contents.title}: what is certified",
            (
                "network",
                "sigma",
                "tau",
                "L2 radius [widths of the intensity range]",
                "mean RMS radius [1/255]",
                "cases",
                f"smoothed {label}",
                f"{label} at least",
                f"{label} at most",
                "voxels certified right",
                "voxels abstained",
                "of them certain of a group",
            ),
            tuple(whole),
            notes,
        ),
        ReportTable(
            "certified_classes",
            f"{contents.title}: what is certified of each class",
            (
                "network",
                "sigma",
                "tau",
                "class",
                f"{label} at least",
                f"{label} at most",
                "share of the target certified",
                "share abstained",
                "target [ml]",
                "smoothed [ml]",
                "at least [ml]",
                "at most [ml]",
            ),
            tuple(regions),
            notes,
        ),
    )
