default_scope = "rogseg"
trainer = dict(type="StandardTrainer")

# Where data are and which of them are used.
data_root = "data/raw"  # holds folders such as Task03_Liver in MSD layout
stored_root = "data/stored"  # holds what preprocessing made of them
fold = 0
selection_fraction = 0.1  # of the training cases: they select the checkpoint and are not trained on
seed = 0

# Where it runs and where results go.
device = None  # None: cuda where there is one
launcher = "none"
work_dir = None  # None: work_dirs/<config>/<task>_fold<fold>
load_from = None
resume = False

validation = dict(interval=1, max_volumes=8, volume_interval=1, max_patches=64)
inference = dict(window_size="task.window_size", overlap=0.5)
# None: Dice, NSD at the task's tolerance, HD95, volume error, and the volume of classes that are not there. For lesions
# add [dict(type="LesionSensitivity"), dict(type="LesionFalsePositives")], with min_volume and max_volume [ml] by size.
measures = None

# The Runner's own hooks log, save and schedule at other moments than TrainLoop needs.
default_hooks = dict(
    runtime_info=None,
    timer=None,
    sampler_seed=None,
    logger=None,
    checkpoint=None,
    param_scheduler=None,
    history=dict(type="HistoryHook"),
    progress=dict(type="ProgressHook"),
    overfitting=dict(type="OverfittingHook"),
    save=dict(type="SaveHook"),
    schedule=dict(type="ScheduleHook"),
)
custom_hooks = []
# history.jsonl and curves.png are always written; for TensorBoard: vis_backends=[dict(type="TensorboardVisBackend")].
visualizer = dict(type="Visualizer", vis_backends=[])
env_cfg = dict(cudnn_benchmark=True)
log_level = "WARNING"
