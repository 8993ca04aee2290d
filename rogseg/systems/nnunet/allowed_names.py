"""Every name in the files of an nnU-Net that is accepted; none is ever imported or looked up by what a file says.

nnU-Net finds classes and functions by the strings in ``plans.json`` and in checkpoints, with ``pydoc.locate`` and by
importing what it passes on the way: a stranger's plan can run anything. Here a string is compared with these lists,
whole and exactly, before anything of nnU-Net sees it.
"""

__all__ = [
    "CONVOLUTIONS",
    "FILE_ENDINGS",
    "IMPORTED_ARGUMENTS",
    "LABEL_MANAGERS",
    "NETWORKS",
    "NONLINEARITIES",
    "NORMALIZATIONS",
    "NORMS",
    "OTHER_NETWORK_TRAINERS",
    "PREPROCESSORS",
    "READERS",
    "RESAMPLINGS",
    "TRAINERS",
]

_ARCHITECTURES = "dynamic_network_architectures.architectures"
# The last is where plans from before version 2.2 put the residual encoder; that module is gone.
NETWORKS = {
    f"{_ARCHITECTURES}.unet.PlainConvUNet": "PlainConvUNet",
    f"{_ARCHITECTURES}.unet.ResidualEncoderUNet": "ResidualEncoderUNet",
    f"{_ARCHITECTURES}.residual_unet.ResidualEncoderUNet": "ResidualEncoderUNet",
}
CONVOLUTIONS = {2: "torch.nn.modules.conv.Conv2d", 3: "torch.nn.modules.conv.Conv3d"}
NORMS = {2: "torch.nn.modules.instancenorm.InstanceNorm2d", 3: "torch.nn.modules.instancenorm.InstanceNorm3d"}
NONLINEARITIES = ("torch.nn.LeakyReLU",)
IMPORTED_ARGUMENTS = ("conv_op", "norm_op", "dropout_op", "nonlin")

PREPROCESSORS = ("DefaultPreprocessor",)
NORMALIZATIONS = (
    "CTNormalization",
    "ZScoreNormalization",
    "NoNormalization",
    "RescaleTo01Normalization",
    "RGBTo01Normalization",
)
RESAMPLINGS = ("resample_data_or_seg_to_shape", "resample_torch_fornnunet", "no_resampling_hack")
READERS = ("SimpleITKIO", "SimpleITKIOWithReorient", "NibabelIO", "NibabelIOWithReorient")
LABEL_MANAGERS = ("LabelManager",)
FILE_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".gipl")

_LENGTHS = ("1epoch", *(f"{count}epochs" for count in (5, 10, 20, 50, 100, 250, 500, 750, 2000, 4000, 8000)))
# They differ in how they train; the network is the plan's.
TRAINERS = frozenset(
    {
        "nnUNetTrainer",
        *(f"nnUNetTrainer_{length}" for length in _LENGTHS),
        *(f"nnUNetTrainer_{count}epochs_NoMirroring" for count in (250, 2000, 4000, 8000)),
        *(f"nnUNetTrainerAdam{rate}" for rate in ("", "1en3", "3en4")),
        *(f"nnUNetTrainerVanillaAdam{rate}" for rate in ("", "1en3", "3en4")),
        *(f"nnUNetTrainerAdan{rate}" for rate in ("", "1en1", "1en3", "3en4", "CosAnneal")),
        "nnUNetTrainerBenchmark_5epochs",
        "nnUNetTrainerBenchmark_5epochs_noDataLoading",
        "nnUNetTrainerCELoss",
        "nnUNetTrainerCELoss_5epochs",
        "nnUNetTrainerCosAnneal",
        "nnUNetTrainerDA5",
        "nnUNetTrainerDA5Segord0",
        "nnUNetTrainerDA5_10epochs",
        "nnUNetTrainerDA5ord0",
        "nnUNetTrainerDiceCELoss_noSmooth",
        "nnUNetTrainerDiceLoss",
        "nnUNetTrainerDiceTopK10Loss",
        "nnUNetTrainerNoDA",
        "nnUNetTrainerNoDeepSupervision",
        "nnUNetTrainerNoMirroring",
        "nnUNetTrainerTopk10Loss",
        "nnUNetTrainerTopk10LossLS01",
        "nnUNetTrainer_DASegOrd0",
        "nnUNetTrainer_DASegOrd0_NoMirroring",
        "nnUNetTrainer_noDummy2DDA",
        "nnUNetTrainer_onlyMirror01",
        "nnUNetTrainer_onlyMirror01_1500ep",
        "nnUNetTrainer_onlyMirror01_DA5",
        "nnUNetTrainer_onlyMirror01_DASegOrd0",
        "nnUNetTrainer_probabilisticOversampling",
        "nnUNetTrainer_probabilisticOversampling_010",
        "nnUNetTrainer_probabilisticOversampling_033",
        "nnUNetTrainer_warmup",
        "nnUNet_Trainer_BS8",
    }
)
# They build another network than the plan says; named so that the refusal can say so.
OTHER_NETWORK_TRAINERS = frozenset(
    {
        "nnUNetTrainerBN",
        *(f"nnUNet_Primus_{size}_Trainer" for size in "SBML"),
        *(f"nnUNet_PrimusV{version}{size}_Trainer" for version in (2, 3) for size in "SBML"),
        "nnUNet_Primus_M_Trainer_BS8",
        "nnUNet_Primus_M_Trainer_BS8_2e4",
    }
)
