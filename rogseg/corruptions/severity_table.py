"""The severities of every corruption in one table: physical parameters, and where each comes from.

Shares of the signal are shares of 1000 HU in CT, and of the foreground's mean elsewhere (`Scan.signal`).
"""

from rogseg.corruptions.base import Severities

__all__ = ["SEVERITIES"]

SIGNAL = "% of the signal"

SEVERITIES: dict[str, Severities] = {
    "RicianNoise": Severities(
        "noise of the real and the imaginary part", SIGNAL, 0, (3, 6, 9, 12, 16), 60,
        "BrainWeb (Collins et al. 1998) has 1, 3, 5, 7 and 9 % of the brightest tissue; beyond 9 % low field",
    ),
    "GaussianNoise": Severities(
        "standard deviation", f"{SIGNAL}; in CT 1 % is 10 HU", 0, (2, 4, 6, 8, 12), 60,
        "CT of the body has some 10 to 30 HU; the steps are our choice",
    ),
    "DoseNoise": Severities(
        "dose", "% of the full dose", 100, (50, 25, 10, 5, 2.5), 0.05,
        "a quarter of the dose is that of the Low Dose CT Grand Challenge (McCollough et al. 2017); 12 HU at full dose "
        "is our choice, for a body",
    ),
    "BiasField": Severities(
        "range of the field", "% peak to peak", 0, (20, 40, 60, 80, 100), 190,
        "BrainWeb has 20 and 40 %; surface coils and 7 T go beyond (Vovk et al. 2007)",
    ),
    "Gamma": Severities(
        "exponent, or one over it", "", 1, (1.2, 1.5, 1.8, 2.2, 2.8), 8,
        "nnU-Net augments with 0.7 to 1.5; beyond is our choice",
    ),
    "WindowShift": Severities(
        "offset, cut off at the ends of the range", f"{SIGNAL}; in CT 1 % is 10 HU", 0, (3, 6, 9, 12, 16), 60,
        "contrast phases move liver by 50 HU and vessels by 150 HU; for MR our choice",
    ),
    "ContrastInversion": Severities(
        "way from the contrast to its mirror image", "%", 0, (20, 40, 60, 80, 100), 100,
        "T1- against T2-weighting turns the order of the tissues round; the steps are our choice",
    ),
    "GibbsRinging": Severities(
        "k-space kept along both axes of the slice", "%", 100, (75, 60, 45, 35, 25), 4,
        "acquired matrices of 50 to 100 % are common; MONAI's GibbsNoise cuts without limit",
    ),
    "KSpaceSpikes": Severities(
        "height of each of three stripe patterns", SIGNAL, 0, (4, 8, 12, 18, 25), 120,
        "our choice; torchio's RandomSpike takes 1 to 3 times the k-space centre, which hides the anatomy",
    ),
    "Ghosting": Severities(
        "weakening of every n-th line of k-space, n of 2 to 5", "%", 0, (10, 20, 30, 45, 60), 100,
        "torchio's RandomGhosting goes to 100 %; the steps are our choice",
    ),
    "Motion": Severities(
        "largest angle of a movement; as many mm of shift", "degrees", 0, (1, 2, 3, 4, 5), 25,
        "ROOD-MRI (Boone et al. 2023) has 1 to 5 degrees, with 2 to 10 voxels; fewer mm here",
    ),
    "Blur": Severities(
        "standard deviation of the point spread", "mm", 0, (0.5, 0.8, 1.1, 1.5, 2.0), 12,
        "torchio's RandomBlur has up to 2 mm; half widths of 1.2 to 4.7 mm",
    ),
    "ThickSlices": Severities(
        "slice thickness over the one of the file", "times", 1, (2, 3, 4, 6, 8), 24,
        "ROOD-MRI has 2.8 to 10 times; clinical slices have 3 to 8 mm",
    ),
    "DownSampling": Severities(
        "voxel size over the one of the file, all axes", "times", 1, (1.3, 1.6, 2, 2.5, 3.2), 12,
        "our choice, between research (1 mm) and fast clinical scans (3 mm)",
    ),
    "MissingSlices": Severities(
        "slices that are lost", "%", 0, (5, 10, 20, 30, 45), 90,
        "our choice; lost in transfer or unusable",
    ),
    "Rotation": Severities(
        "angle about an axis of the volume", "degrees", 0, (4, 8, 12, 16, 20), 45,
        "positioning in a clinic is within 15 degrees, which is what the paper augments with; 20 lies outside",
    ),
    "Scaling": Severities(
        "change of size, larger or smaller", "%", 0, (5, 10, 15, 20, 30), 60,
        "adults differ by 15 % in length; the paper augments with 15 %; 30 are children",
    ),
    "ChannelDropped": Severities(
        "slices that one channel lacks", "%", 0, (20, 40, 60, 80, 100), 100,
        "a sequence with less coverage, or none, as in BraTS with missing modalities; the steps are our choice",
    ),
    "MetalStreaks": Severities(
        "height of the streaks beside the metal", "HU", 0, (50, 100, 200, 350, 500), 3000,
        "streaks beside hip and dental implants, as Boas and Fleischmann 2012 show them; the steps are our choice",
    ),
    "BeamHardening": Severities(
        "cupping in the depth of the body", "HU", 0, (10, 25, 50, 80, 120), 900,
        "cupping as Barrett and Keat 2004 show it; the steps are our choice",
    ),
}  # fmt: skip
