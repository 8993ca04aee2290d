# MPUNet: one two-dimensional U-Net of 62 M parameters on planes along six views, fused.
model = dict(
    type="MultiPlanarSegmentor",
    backbone=dict(type="PlanarUNet", in_channels="task.num_channels", num_classes="task.num_classes"),
    num_classes="task.num_classes",
    spacing="task.spacing",
    losses=[dict(type="CrossEntropyLoss")],
)
