# For small machines: a given number of iterations, the learning rate rises and falls once.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=3e-3, weight_decay=1e-2),
)
param_scheduler = [dict(type="OneCycle", by_epoch=False)]
train_cfg = dict(type="TrainLoop", max_epochs=18, iterations_per_epoch=100)
plateau = None
