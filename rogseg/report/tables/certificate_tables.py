"""The tables of certificates: Dice by radius, and Dice and volume of each class."""

from collections.abc import Sequence

from rogseg.report.contents import Contents
from rogseg.report.tables.table import Cell, Proved, ReportTable
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
        bounds = (line.smoothed, Proved(line.lower), Proved(line.upper, is_upper=True))
        radii, shares = (Proved(first.radius), Proved(255 * line.rms_mean)), (line.accuracy, line.abstained)
        whole.append((*key, *radii, len(line.row.cases), *bounds, *shares, line.fell_back))
        for region in line.regions:
            of_dice = (Proved(region.lower), Proved(region.upper, is_upper=True))
            target, smoothed, least, most = region.volumes
            volumes = (target, smoothed, Proved(least), Proved(most, is_upper=True))
            regions.append((*key, region.name, *of_dice, region.certified, region.abstained, *volumes))
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
