"""Every top-level key that a config may have, and how a misspelt one is answered."""

from rogseg.command_line import nearest

__all__ = ["TOP_LEVEL_KEYS", "nearest"]

TOP_LEVEL_KEYS: dict[str, str] = {
    "task": "the task plan (a JSON base, or --task)",
    "model": "component of the MODELS registry",
    "trainer": "component of the TRAINERS registry",
    "train_data": "the training patches: batch_size, num_workers, prefetch_factor, pin_memory, dataset",
    "train_cfg": "the training loop",
    "validation": "what is measured on the cases that select the checkpoint; None for nothing",
    "inference": "window_size, overlap and window_batch of whole-volume inference",
    "optim_wrapper": "optimizer, precision, gradient accumulation and clipping",
    "param_scheduler": "learning-rate schedulers; None for none",
    "plateau": "PlateauHook: the learning rate falls with the validation loss; None for no such schedule",
    "default_hooks": "hooks by name",
    "custom_hooks": "further hooks",
    "visualizer": "where scalars are written; add dict(type='TensorboardVisBackend') for TensorBoard",
    "env_cfg": "cudnn_benchmark and multi-processing",
    "log_level": "of MMEngine's logger",
    "default_scope": "always 'rogseg'",
    "data_root": "folder of the raw tasks",
    "stored_root": "folder of the preprocessed tasks",
    "fold": "fold of the cross-validation",
    "selection_fraction": "share of the training cases that select the checkpoint instead of being trained on",
    "seed": "of all randomness",
    "device": "cpu or cuda; None takes cuda where there is one",
    "launcher": "'none' or 'pytorch'",
    "compile": "arguments of torch.compile for the network, e.g. dict(mode='max-autotune'); None runs it as it is",
    "work_dir": "where checkpoints and curves go; None is work_dirs/<config>",
    "load_from": "checkpoint to start from",
    "resume": "whether to go on from the work directory's last checkpoint",
    "init_from": "where an adversarial training starts from: checkpoint, work_dir, zoo, stage",
    "attack": "component of the ATTACKS registry",
    "criterion": "component of the CRITERIA registry; None is a mean Dice under half of the mean clean Dice",
    "threat": "type of the threat model and unit of its epsilon: fraction, network or raw",
    "epsilons": "radii of the attack, in that unit",
}
