# For small machines: a given number of iterations, the learning rate rises and falls once.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=3e-3, weight_decay=1e-2),
)
param_scheduler = [
    dict(
        type="OneCycleLR", eta_max=3e-3, pct_start=0.05, anneal_strategy="linear", final_div_factor=1000, by_epoch=False
    )
]
train_cfg = dict(type="TrainLoop", max_epochs=18, iterations_per_epoch=100)
plateau = None
