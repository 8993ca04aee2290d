# C2FNAS-Panc, rebuilt from its paper: 15.4 M parameters where the paper's comparison says 17 M.
model = dict(
    type="Segmentor",
    backbone=dict(type="C2FNAS", in_channels="task.num_channels"),
    head=dict(type="DeepSupervisionHead", num_classes="task.num_classes", num_outputs=1),
    losses=[dict(type="DiceLoss"), dict(type="CrossEntropyLoss")],
)
