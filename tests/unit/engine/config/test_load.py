import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rogseg.commands import COMMANDS, command_parser
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.config.load import load_attack_config, load_config, load_system_config, parse_overrides
from rogseg.engine.config.task import plan_of, sizes_not_taken
from rogseg.engine.hardening.trainer_choice import trainer_config
from rogseg.task_plan import TaskPlan
from tests.tiny_task import tiny_plan, write_tiny_task

CONFIGS = Path(__file__).resolve().parents[4] / "configs"
HIPPOCAMPUS = CONFIGS / "rog" / "rog_standard_hippocampus.py"
TASKS = (
    "braintumour", "heart", "liver", "hippocampus", "prostate", "lung", "pancreas", "hepaticvessel", "spleen", "colon",
)  # fmt: skip


@pytest.mark.parametrize("name", TASKS)
def test_every_shipped_config_of_standard_training_loads(name: str) -> None:
    config = load_config(CONFIGS / "rog" / f"rog_standard_{name}.py")
    plan = TaskPlan.load(CONFIGS / "_base_" / "tasks" / f"{name}.json")
    assert plan_of(config) == plan
    assert config.model.backbone.strides == plan.strides
    assert config.model.head.num_classes == plan.num_classes
    assert config.train_data.dataset.crop_size == plan.crop_size
    assert config.optim_wrapper.optimizer.amsgrad is True


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("seeed=3", "unknown key 'seeed': did you mean 'seed'?"),
        ("train_cfg.max_epoch=3", "train_cfg.max_epoch is no argument of TrainLoop: did you mean 'max_epochs'?"),
        ("model.backbone.lenght=3", "model.backbone.lenght is no argument of ROG: did you mean 'length'?"),
        ("trainer.type=StandartTrainer", "did you mean 'StandardTrainer'?"),
        ("optim_wrapper.optimizer.amsgard=True", "optimizer.amsgard is no argument of Adam: did you mean 'amsgrad'?"),
        ("default_hooks.save.intervall=2", "default_hooks.save.intervall is no argument of SaveHook"),
        ("default_hooks.ema=dict(type='EMAHook', momentm=0.1)", "momentm is no argument .* did you mean 'momentum'?"),
        ("train_data.dataset.transforms.0.max_rotatoin=3", r"transforms\[0\].max_rotatoin is no argument of RandomAff"),
        ("train_data.batchsize=3", "train_data.batchsize is no argument of train_data: did you mean 'batch_size'?"),
        ("validation.max_volume=3", "did you mean 'max_volumes'?"),
        ("inference.overlapp=0.2", "did you mean 'overlap'?"),
        ("model.backbone.in_channels=task.num_chanels", "model.backbone.in_channels .* did you mean 'num_channels'?"),
        ("model.losses.0.type=DiceLos", r"model.losses\[0\].type is 'DiceLos', .* did you mean 'DiceLoss'?"),
        # A key without what stands before it: written in the config, or an argument of a component there.
        ("max_epochs=3", "unknown key 'max_epochs': did you mean 'train_cfg.max_epochs'?"),
        ("max_epoch=3", "unknown key 'max_epoch': did you mean 'train_cfg.max_epochs'?"),
        ("cuda_graphs=True", "unknown key 'cuda_graphs': did you mean 'inference.cuda_graphs'?"),
        ("optimizer.lr=0.1", "unknown key 'optimizer': did you mean 'optim_wrapper.optimizer.lr'?"),
        ("nonsense", "must be KEY=VALUE"),
    ],
)
def test_what_is_misspelt_fails_at_load_with_the_nearest_known_word(option: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_config(HIPPOCAMPUS, [option])


READERS: dict[str, Callable[[list[str]], object]] = {
    "--cfg-options": lambda options: load_config(HIPPOCAMPUS, options),
    "--attack-options": lambda options: AttackSettings.load("apgd_ce", options),
    "--trainer-options": lambda options: trainer_config("free", 8 / 255, 0, options),
}


@pytest.mark.parametrize("flag", READERS)
@pytest.mark.parametrize("options", [["nonsense"], ["a=1", "a=2"], ["a=1", "a.b=2"], ["a=["]])
def test_a_wrong_key_is_told_by_the_option_that_it_stands_behind(flag: str, options: list[str]) -> None:
    with pytest.raises(ValueError, match=f"^{flag}: "):
        READERS[flag](options)


def test_these_are_all_options_of_keys() -> None:
    actions = [action for name in COMMANDS for action in command_parser(name, name)._actions]
    assert {action.option_strings[0] for action in actions if action.metavar == "KEY=VALUE"} == set(READERS)


@pytest.mark.parametrize("key", ["num_iterations", "num_iteration"])
def test_a_key_of_an_attack_is_suggested_with_what_stands_before_it(key: str) -> None:
    with pytest.raises(ValueError, match=rf"^--attack-options: .*'{key}': did you mean 'attack\.num_iterations'\?"):
        AttackSettings.load("apgd_ce", [f"{key}=2"])


def test_weights_may_be_called_as_components_are() -> None:
    option = "optim_wrapper.paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1)))"
    config = load_config(HIPPOCAMPUS, [option, "default_hooks.ema=dict(type='EMAHook', momentum=0.1)"])
    assert config.optim_wrapper.paramwise_cfg.custom_keys.backbone == {"lr_mult": 0.1}


def test_an_argument_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.py"
    path.write_text(f'_base_ = ["{HIPPOCAMPUS}"]\ntrainer = dict(_delete_=True, type="AWPTrainer")\n')
    with pytest.raises(ValueError, match=r"c\.py: trainer \(AWPTrainer\) lacks"):
        load_config(path)


def test_two_bases_with_one_key_are_explained(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("seed = 1\n")
    (tmp_path / "b.py").write_text("seed = 2\n")
    (tmp_path / "c.py").write_text('_base_ = ["./a.py", "./b.py"]\n')
    with pytest.raises(ValueError, match=r"c\.py: two files of _base_ have the same key .*seed"):
        load_config(tmp_path / "c.py")


def test_a_file_that_is_not_there_or_not_readable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.py: there is no such config"):
        load_config(tmp_path / "nowhere.py")
    (tmp_path / "broken.py").write_text("seed = = 2\n")
    with pytest.raises(ValueError, match=r"broken\.py: not a readable config"):
        load_config(tmp_path / "broken.py")


def test_a_config_without_task_takes_that_of_a_stored_task(tmp_path: Path) -> None:
    standard = CONFIGS / "rog" / "rog_standard.py"
    with pytest.raises(ValueError, match="pass --task"):
        load_config(standard)
    task = write_tiny_task(tmp_path / "task")
    config = load_config(standard, task_dir=task.directory)
    assert plan_of(config) == tiny_plan()
    assert config.inference.window_size == (16, 16, 16)


def test_a_stored_task_of_another_plan_is_refused(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    with pytest.raises(ValueError, match=r"plan\.json: its name is Task99_Tiny, but .* has Task04_Hippocampus"):
        load_config(HIPPOCAMPUS, task_dir=task.directory)
    with pytest.raises(ValueError, match="not a stored task"):
        load_config(HIPPOCAMPUS, task_dir=tmp_path / "elsewhere")


def test_a_config_with_its_own_sizes_says_that_it_does_not_take_those_of_the_cases(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    own = tmp_path / "own.json"
    larger = {**tiny_plan().to_json(), "patch_size": [32, 32, 32], "crop_size": [36, 36, 36]}
    own.write_text(json.dumps({"task": larger}))
    config = tmp_path / "own.py"
    config.write_text(f"_base_ = ['{CONFIGS}/rog/rog_standard.py', 'own.json']\n")
    taken = load_config(config, task_dir=task.directory)
    notice = sizes_not_taken(taken, task.plan)
    assert notice is not None
    assert "patch_size (32, 32, 32), crop_size (36, 36, 36) are taken from there" in notice
    options = notice.split("--cfg-options ")[1].split(" takes")[0].split()
    assert options == ["task.patch_size=[16,16,16]", "task.crop_size=[20,16,16]"]
    followed = load_config(config, options, task.directory)
    assert followed.train_data.dataset.patch_size == (16, 16, 16)
    assert sizes_not_taken(followed, task.plan) is None


def test_overrides_are_literals_where_they_can_be() -> None:
    parsed = parse_overrides(["a=1e-3", "b.c=(1, 2)", "d=text/with=sign", "e=none", "f=True", "g=dict"])
    assert parsed == {"a": 1e-3, "b.c": (1, 2), "d": "text/with=sign", "e": None, "f": True, "g": "dict"}
    assert load_config(HIPPOCAMPUS, ["train_data.batch_size=7"]).train_data.batch_size == 7


@pytest.mark.parametrize(
    ("load", "text", "key"),
    [
        (load_attack_config, "attack = dict(type='FGSM')", "fold"),
        (load_attack_config, "attack = dict(type='FGSM')", "seed"),
        (load_system_config, "system = dict(type='TorchModule')", "epsilons"),
        (load_config, f"_base_ = {str(HIPPOCAMPUS)!r}", "epsilons"),
    ],
)
def test_a_key_of_another_kind_of_config_is_not_passed_over(
    load: Callable[..., object], text: str, key: str, tmp_path: Path
) -> None:
    value = [0.1] if key == "epsilons" else 1
    (tmp_path / "plain.py").write_text(text)
    with pytest.raises(ValueError, match=rf"^--(cfg|attack)-options: {key} has no effect in the config of an? "):
        load(tmp_path / "plain.py", {key: value})
    (tmp_path / "more.py").write_text(f"{text}\n{key} = {value}\n")
    with pytest.raises(ValueError, match=rf"^{tmp_path}/more.py: {key} has no effect"):
        load(tmp_path / "more.py")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("attack.x=1", "--attack-options: attack.x is no argument of APGD"),
        ("attack.num_iterations=0", "--attack-options: attack.num_iterations is 0"),
        ("attack.objective.type=Nothing", "--attack-options: attack.objective.type is 'Nothing'"),
        ("attack=dict(type=APGD,num_iterations=0)", "--attack-options: attack"),
        ("epsilons=[]", "--attack-options: epsilons is empty"),
        ("epsilons=[2]", "--attack-options: epsilons are [2]"),
    ],
)
def test_what_an_option_says_is_not_blamed_on_the_file(option: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}") as raised:
        load_attack_config("apgd_ce", [option])
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)  # as a worker process sends it


def test_what_the_file_says_is_not_blamed_on_an_option(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("attack = dict(type='FGSM', x=1)\n")
    with pytest.raises(ValueError, match=f"^{tmp_path}/mine.py: attack.x is no argument"):
        load_attack_config(tmp_path / "mine.py", ["attack.objective.type=Margin"])


def test_a_key_behind_an_unknown_word_is_looked_for_by_its_last() -> None:
    with pytest.raises(ValueError, match=r"unknown key 'craft': did you mean 'trainer\.epsilon'"):
        load_config("rog_freeat_hippocampus", ["craft.epsilon=3"])
    with pytest.raises(ValueError, match=r"unknown key 'modell': did you mean 'model'"):
        load_config("rog_freeat_hippocampus", ["modell.backbone.length=3"])
