train_data = dict(
    batch_size=2,
    num_workers=2,
    dataset=dict(
        type="PatchDataset",
        patch_size="task.patch_size",
        crop_size="task.crop_size",
        foreground_fraction=0.5,
        transforms=[
            dict(type="RandomAffine", patch_size="task.patch_size", spacing="task.spacing"),
            dict(type="CentreCrop", patch_size="task.patch_size"),
            dict(type="RandomMirror"),
            dict(type="RandomGamma"),
            dict(type="ClipToBox"),
        ],
    ),
)
