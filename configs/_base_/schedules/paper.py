# The paper: Adam (AMSGrad), halved when the 5-epoch mean of the validation loss has not improved for 50 epochs,
# stop below 1/16, up to 1000 epochs of one patch per training case.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=1e-3, weight_decay=1e-5, amsgrad=True),
)
param_scheduler = None
train_cfg = dict(type="TrainLoop", max_epochs=1000)
plateau = dict(type="PlateauHook", window=5, patience=50, factor=0.5, min_scale=1 / 16)
