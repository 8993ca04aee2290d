# nnU-Net's U-Net with a residual encoder, by its rules for the patch and spacing of the task. Needs rogseg[nnunet].
model = dict(
    type="Segmentor",
    backbone=dict(
        type="ResidualEncoderUNet",
        in_channels="task.num_channels",
        num_classes="task.num_classes",
        patch_size="task.patch_size",
        spacing="task.spacing",
    ),
    head=dict(type="LogitPyramidHead", num_classes="task.num_classes"),
    losses=[dict(type="DiceLoss"), dict(type="CrossEntropyLoss")],
)
