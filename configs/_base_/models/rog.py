model = dict(
    type="Segmentor",
    backbone=dict(type="ROG", in_channels="task.num_channels", strides="task.strides"),
    head=dict(type="ROGHead", num_classes="task.num_classes", scale="task.stem_stride"),
    losses=[dict(type="DiceLoss"), dict(type="CrossEntropyLoss")],
)
