# UNet++ in three dimensions, 26.2 M parameters: what the paper compares with. Its four poolings halve every axis.
model = dict(
    type="Segmentor",
    backbone=dict(type="UNetPlusPlus", in_channels="task.num_channels"),
    head=dict(type="DeepSupervisionHead", num_classes="task.num_classes", num_outputs=4),
    losses=[dict(type="DiceLoss"), dict(type="CrossEntropyLoss")],
)
