"""Configs of strangers and wrong values in one's own: nothing of them runs, and each ends in a sentence."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rogseg.engine.config.load import load_attack_config, load_config
from rogseg.registry import HOOKS, MODELS
from tests.faults.fault import Call, Fault

ROOT = Path(__file__).resolve().parents[2]
NETWORK = ROOT / "configs" / "rog" / "rog_standard_hippocampus.py"
FREE = ROOT / "configs" / "rog" / "rog_freeat_hippocampus.py"
ATTACK = ROOT / "configs" / "attack" / "apgd_ce.py"
TASK = ROOT / "configs" / "_base_" / "tasks" / "hippocampus.json"
# What would run is Python that leaves a file; every table row is followed by a look for it (`test_config_faults`).
OWNED = "owned"
CODE = f"open('{OWNED}', 'w').close()"

Build = Callable[[Path], Call]


def network(*options: str, config: Path = NETWORK) -> Build:
    return lambda folder: lambda: load_config(config, list(options))


def attack(*options: str) -> Build:
    return lambda folder: lambda: load_attack_config(ATTACK, list(options))


def json_file(content: object, load: Callable[[Path], object] = load_attack_config) -> Build:
    def build(folder: Path) -> Call:
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / "a").mkdir()
        path = folder / "a" / "stranger.json"
        path.write_text(text)
        (folder / "evil.py").write_text(CODE)
        (folder / "a" / "evil.py").write_text(CODE)
        (folder / "far").mkdir()
        (folder.parent / "far.json").write_text("{}")
        return lambda: load(path)

    return build


def python_on(content: object, name: str = "stranger.json") -> Build:
    """A Python config of the user's own that builds on a stranger's file."""

    def build(folder: Path) -> Call:
        (folder / "evil.py").write_text(CODE)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        path = folder / "mine.py"
        path.write_text(f"_base_ = ['./{name}']\n")
        return lambda: load_config(path)

    return build


def python(text: str, load: Callable[[Path], object] = load_config) -> Build:
    def build(folder: Path) -> Call:
        path = folder / "mine.py"
        path.write_text(text)
        return lambda: load(path)

    return build


def registry(build: Callable[[Mapping[str, Any]], object], component: Mapping[str, Any]) -> Build:
    return lambda folder: lambda: build(component)


def runs(name: str, **more: Any) -> Mapping[str, Any]:
    return {"type": name, "args": ["touch", OWNED], **more}


STRANGERS = [
    Fault(
        "a type with a dot as attack", json_file({"attack": runs("subprocess.Popen")}), r"attack\.type is 'subprocess"
    ),
    Fault("a module as attack", json_file({"attack": {"type": "antigravity"}}), r"'antigravity', which is unknown"),
    Fault("a scope", json_file({"attack": {"type": "PGD", "_scope_": "evil"}}), r"attack\._scope_ is 'evil'"),
    Fault(
        "a type with a dot as objective",
        json_file({"attack": {"type": "APGD", "objective": {"type": "os.system"}}}),
        r"attack\.objective\.type is 'os\.system'",
    ),
    Fault(
        "a type with a dot as criterion",
        json_file({"attack": {"type": "PGD"}, "criterion": runs("subprocess.Popen")}),
        "criterion.type is 'subprocess",
    ),
    Fault(
        "a type with a dot as threat",
        json_file({"attack": {"type": "PGD"}, "threat": {"type": "os.system"}}),
        r"threat\.type is 'os\.system'",
    ),
    Fault(
        "custom imports in JSON", json_file({"custom_imports": {"imports": ["evil"]}}), "a JSON file imports nothing"
    ),
    Fault("a Python base of JSON", json_file({"_base_": "evil.py"}), "bases of a JSON config are JSON files"),
    Fault("a base of JSON by its full path", json_file({"_base_": str(TASK)}), "bases of a JSON config are JSON files"),
    Fault("a base of JSON out of the tree", json_file({"_base_": "../../far.json"}), "bases of a JSON config are JSON"),
    Fault("a base of JSON that is itself", json_file({"_base_": "stranger.json"}), "is its own base"),
    Fault("a base of JSON that is a number", json_file({"_base_": 5}), "_base_ must be the path of a file"),
    Fault("200,000 nested brackets", json_file("[" * 200_000), r"stranger\.json: .*nested too deeply"),
    Fault("200 nested lists", json_file({"attack": json.loads("[" * 200 + "]" * 200)}), "nested too deeply"),
    Fault("a key twice", json_file('{"fold": 1, "fold": 2}'), "'fold' stands twice"),
    Fault("JSON that is no object", json_file("[1]"), "must hold a JSON object"),
    Fault("no JSON at all", json_file("fold: 1"), r"stranger\.json: not usable JSON"),
    Fault("a reserved key", json_file({"filename": "x"}), "unknown key 'filename'"),
    Fault("NaN in JSON", json_file('{"epsilons": [NaN]}'), "NaN is no JSON number"),
    Fault(
        "a stage that is Python",
        json_file({"init_from": {"stage": "evil.py"}}, load_config),
        "trains no stage that is Python code",
    ),
    Fault(
        "a JSON base that imports", python_on({"custom_imports": {"imports": ["evil"]}}), "a JSON file imports nothing"
    ),
    Fault("a JSON base on Python", python_on({"_base_": "evil.py"}), "bases of a JSON config are JSON files"),
    Fault(
        "a YAML base", python_on("fold: !!python/object/apply:os.system ['x']", "a.yaml"), r"bases are \.py or \.json"
    ),
    Fault("a YAML config", lambda folder: lambda: load_config(_yaml(folder)), r"a \.py or a \.json file, not \.yaml"),
    Fault(
        "a hook with a dot", network("custom_hooks=[dict(type='subprocess.Popen')]"), r"custom_hooks\[0\]\.type is 'sub"
    ),
    Fault(
        "an optimiser with a dot", network("optim_wrapper.optimizer.type=os.system"), r"optimizer\.type is 'os\.system'"
    ),
    Fault("a wrapper with a dot", network("optim_wrapper.type=os.system"), r"optim_wrapper\.type is 'os\.system'"),
    Fault(
        "its constructor with a dot", network("optim_wrapper.constructor=os.x"), r"constructor is 'os\.x', which is unk"
    ),
    Fault(
        "a scheduler with a dot", network("param_scheduler=[dict(type='a.b')]"), r"param_scheduler\[0\]\.type is 'a\.b'"
    ),
    Fault(
        "a visualizer with a dot", network("visualizer.vis_backends=[dict(type='a.b')]"), r"vis_backends\[0\]\.type is"
    ),
    Fault(
        "an average with a dot",
        network("default_hooks.ema=dict(type='EMAHook', ema_type='subprocess.Popen')"),
        r"ema_type is 'subprocess\.Popen', which is unknown",
    ),
    Fault(
        "another scope by default", network("default_scope=evil"), "default_scope is 'evil', it must be one of 'rogseg'"
    ),
    Fault(
        "a dot in a registry",
        registry(HOOKS.build, runs("subprocess.Popen")),
        "'subprocess.Popen' is no registered hook",
    ),
    Fault(
        "a scope in a registry", registry(MODELS.build, {"type": "Segmentor", "_scope_": "evil"}), "_scope_ is 'evil'"
    ),
]


def _yaml(folder: Path) -> Path:
    path = folder / "config.yaml"
    path.write_text("fold: !!python/object/apply:os.system ['touch owned']\n")
    return path


def _values() -> Sequence[Fault]:
    must = "it must be"
    rows: list[tuple[Callable[..., Build], str, str]] = [
        (network, "fold=abc", rf"fold is 'abc', {must} a whole number"),
        (network, "fold=1.5", r"fold is 1\.5"),
        (network, "fold=True", "fold is True"),
        (network, "seed=abc", "seed is 'abc'"),
        (network, "seed=-1", "seed is -1, it must be at least 0"),
        (network, "selection_fraction=1.5", "selection_fraction is 1.5, it must be above 0 and below 1"),
        (network, "launcher=slurm", "one of 'none', 'pytorch'"),
        (network, "log_level=LOUD", "log_level is 'LOUD'"),
        (network, "device=5", "device is 5, it must be a text or None"),
        (network, "resume=maybe", "resume is 'maybe', it must be True or False"),
        (network, "work_dir=5", "work_dir is 5, it must be a path"),
        (network, "model=5", "model is 5, it must be a dictionary"),
        (network, "model.backbone.channels=0", r"model\.backbone\.channels is 0, it must be at least 1"),
        (network, "model.backbone.strides=5", r"model\.backbone\.strides is 5, it must be a list"),
        (network, "model.losses=DiceLoss", r"model\.losses is 'DiceLoss', it must be a list"),
        (network, "model.losses=[dict(type='DiceLoss')", "write lists and components as in a config"),
        (network, "model.losses=" + "[" * 200_000, "cannot be read"),
        (network, "trainer=None", "trainer is None, it must be a dictionary"),
        (network, "trainer=dict(typo='X')", r"trainer\.typo is no argument of StandardTrainer"),
        (network, "trainer=dict(type='FreeTrainer', num_replays=0)", r"trainer\.num_replays is 0"),
        (network, "trainer=dict(type='FreeTrainer', threat='x')", "trainer: threat='x' is unknown"),
        (network, "train_data=None", "train_data is None"),
        (network, "train_data.batch_size=0", r"train_data\.batch_size is 0"),
        (network, "train_data.dataset=5", r"train_data\.dataset is 5"),
        (network, "train_data.dataset.transforms=[5]", r"transforms\[0\] is 5, it must be dict"),
        (network, "train_cfg.max_epochs=0", r"train_cfg\.max_epochs is 0, it must be at least 1"),
        (network, "train_cfg.max_epochs=abc", r"train_cfg\.max_epochs is 'abc'"),
        (network, "optim_wrapper.optimizer.lr=abc", r"optimizer\.lr is 'abc', it must be a number"),
        (network, "optim_wrapper.optimizer.lr=-1", r"optimizer\.lr is -1"),
        (network, "optim_wrapper.optimizer.betas=5", r"optimizer\.betas is 5, it must be 2 entries"),
        (network, "optim_wrapper=None", "optim_wrapper is None"),
        (network, "trainer.type=None", r"trainer\.type is None, it must be the name of a registered trainer"),
        (network, "optim_wrapper.clip_grad=5", r"clip_grad is 5, it must be a dictionary"),
        (network, "optim_wrapper.clip_grad=dict(max_norm='abc')", r"clip_grad\.max_norm is 'abc'"),
        (network, "param_scheduler=5", "param_scheduler is 5"),
        (network, "plateau.window=abc", r"plateau\.window is 'abc'"),
        (network, "plateau.factor=2", "plateau: .*factor 2"),
        (network, "default_hooks.save=5", r"default_hooks\.save is 5"),
        (network, "custom_hooks=5", "custom_hooks is 5"),
        (network, "inference=None", "inference is None"),
        (network, "inference.overlap=abc", r"inference\.overlap is 'abc'"),
        (network, "inference.overlap=1", r"inference\.overlap is 1, it must be at least 0 and below 1"),
        (network, "inference.window_size=0", r"inference\.window_size is 0, it must be a list"),
        (network, "inference.window_size=(0, 4, 4)", r"window_size is \(0, 4, 4\), it must be 3 numbers of at least 1"),
        (network, "validation.attack=5", r"validation\.attack is 5"),
        (network, "validation.attack=dict(type='PGD', num_iterations=0)", r"validation\.attack\.num_iterations is 0"),
        (network, "validation.epsilon=8", r"validation\.epsilon is 8, it must be at least 0 and at most 1"),
        (network, "init_from=5", "init_from is 5"),
        (network, "init_from.stage=4", r"init_from\.stage is 4"),
        (network, "compile.modee=4", r"compile\.modee is no argument"),
        (network, "env_cfg.mp_cfg=4", r"env_cfg\.mp_cfg is 4"),
        (network, "task=5", "task is 5"),
        (network, "task.name=5", r"task\.name is 5"),
        (network, "task.name=../../x", "cannot name a file or folder"),
        (network, "task.spacing=abc", r"task\.spacing is 'abc'"),
        (network, "custom_imports=['no_such_package']", "cannot be imported .*PYTHONPATH"),
        (network, "custom_imports=5", "custom_imports is 5"),
        (attack, "attack=5", "attack is 5"),
        (attack, "attack.num_iterations=0", r"attack\.num_iterations is 0"),
        (attack, "attack.select=abc", r"attack\.select is 'abc', it must be one of 'objective', 'dice'"),
        (attack, "attack.objective=5", r"attack\.objective is 5"),
        (attack, "attack.type=5", r"attack\.type is 5"),
        (attack, "threat=5", "threat is 5"),
        (attack, "threat.unit=5", "unit is 5, it must be one of 'fraction'"),
        (attack, "criterion=dict()", r"criterion is \{\}, it must be dict\(type=\.\.\.\)"),
        (attack, "epsilons=5", "epsilons is 5, it must be a list"),
        (attack, "epsilons=[]", "epsilons is empty"),
        (attack, "epsilons=[8]", "fractions of the width of the intensity box, so at most 1"),
        (attack, "epsilons=[0]", "epsilons is .0., it must be above 0"),
    ]
    return [Fault(option[:60], kind(option), message) for kind, option, message in rows]


OWN = [
    Fault("an attack config for a network", lambda _: lambda: load_config(ATTACK), "is the config of an attack"),
    Fault(
        "a network config for an attack", lambda _: lambda: load_attack_config(NETWORK), "the config of a network, not"
    ),
    Fault("an own class without a method", python("attack = dict(type=int, nothing=1)", load_attack_config), "attack"),
    Fault(
        "a config that builds on itself", python("_base_ = './mine.py'"), r"mine\.py: _base_ leads back to itself, mine"
    ),
    Fault("a config that raises", python("fold = 1 / 0"), r"mine\.py: not a readable config: division by zero"),
    Fault("a config that imports nothing", python("import no_such_package"), "No module named 'no_such_package'"),
    Fault("a config without a loop's end", python(f"_base_ = '{NETWORK}'\ndel fold_"), "not a readable config"),
    Fault("a network without the rest", python("model = dict(type='Segmentor')\n"), "lacks|needs|missing"),
]

FAULTS = [*STRANGERS, *_values(), *OWN]
