"""Every option of every group composes, and what it names takes every key it has."""

from collections.abc import Callable
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
import yaml
from omegaconf import DictConfig, OmegaConf

from tandem.config import build, checks
from tandem.config.catalogue import config_groups
from tandem.config.folders import config_folder
from tandem.config.instantiate import check_values, make, make_each
from tandem.core.errors import InputError
from tandem.loggers import PACKAGES

Compose = Callable[..., DictConfig]
GROUPS = config_groups()
OWN_FILES = ["dataset.data_dir=.", "dataset.source=a", "dataset.target=b"]
CHECKPOINT = Path(__file__).parent / "checkpoint"
"""A tokenizer of others, with the config of a network that is not there."""
BERT = "{model_type: bert, hidden_size: 8, num_attention_heads: 2, num_hidden_layers: 1}"
GPT2 = "{model_type: gpt2, n_embd: 128, n_head: 2, n_layer: 1}"
NEEDED = {
    "adapter=lora": ["encoder=transformer"],
    "decoder=pretrained": ["decoder.path=null", f"decoder.architecture={GPT2}"],
    "encoder=pretrained": ["encoder.path=null", f"encoder.architecture={BERT}"],
    "model=pretrained_seq2seq": [
        *("model.path=null", "encoder.path=null", "decoder.path=null"),
        *(f"encoder.architecture={BERT}", f"decoder.architecture={GPT2}"),
        f"tokenizer.path={CHECKPOINT}",
    ],
    "tokenizer=pretrained": [f"tokenizer.path={CHECKPOINT}"],
    "frontend=cnn_stem": ["features=pixels"],
    "frontend=patches": ["features=pixels"],
    "frontend=speech": ["features=log_mel"],
    "frontend=vectors": ["features=pixels", "frontend.media=image"],
    "encoder=module": [
        "features=pixels",
        "encoder.module={_target_:torch.nn.Conv2d,in_channels:3,out_channels:4,kernel_size:9}",
    ],
    "experiment=multi30k/minilm": [
        *("encoder.path=null", "encoder.layer=1", f"encoder.architecture={BERT}"),
    ],
    "experiment=rsicd/show_attend_tell": ["encoder.path=null"],
    "experiment=rsicd/transformer": ["encoder.path=null"],
    "features=pixels": ["frontend=patches"],
    "features=log_mel": ["frontend=speech"],
    "dataset=audiofolder": ["dataset.data_dir=."],
    "dataset=imagefolder": ["dataset.data_dir=."],
    "dataset=hub_captions": ["dataset.path=."],
    "dataset=csv": OWN_FILES,
    "dataset=json": OWN_FILES,
    "dataset=parallel": OWN_FILES,
    "dataset=translations": OWN_FILES,
    "dataset=hub": ["dataset.path=.", "dataset.source=a", "dataset.target=b"],
    "noise=layer_drop": ["encoder=transformer"],
    "risk=self_critical": ["init_from=outputs/run"],
    "search=constrained": ["search.required=[[4]]"],
    "scorer=ctc": ["objective.ctc_weight=0.3"],
    "scorer=language_model": ["scorer.language_model.path=outputs/run"],
    "rule=banned": ["rule.banned.sequences=[a dog,[5]]"],
    "rule=forced_prefix": ["rule.forced_prefix.prefix=The"],
    "scheduler=cosine": ["trainer.max_steps=9", "scheduler.warmup_steps=2"],
}
"""What a user has to give."""


def options(*groups: str) -> list[Any]:
    return [
        pytest.param(group, option, id=f"{group}={option}")
        for group in groups or GROUPS
        for option in GROUPS[group]
    ]


def test_a_recipe_for_a_gpu_differs_from_the_recipe_in_sizes_of_training(
    compose_config: Compose,
) -> None:
    def differences(one: Any, other: Any, name: str) -> list[str]:
        if not isinstance(one, dict):
            return [name] * (one != other)
        assert one.keys() == other.keys()
        return [each for key in one for each in differences(one[key], other[key], f"{name}.{key}")]

    recipe = "experiment=multi30k/transformer_tiny"
    configs = [
        OmegaConf.to_container(compose_config("train", one)) for one in (recipe, f"{recipe}_gpu")
    ]
    assert sorted(differences(*configs, "")) == [
        ".batching.max_tokens",
        ".callbacks.ema.decay",
        ".optimizer.lr",
        ".scheduler.warmup_steps",
        ".trainer.max_steps",
        ".trainer.val_check_interval",
    ]


def overrides(group: str, option: str) -> list[str]:
    if group == "metric":  # beside the one that the dataset monitors
        return [f"metric=[{','.join({'exact_match', option})}]"]
    chosen = f"{group}={option}"
    return [f"logger=[{option}]" if group == "logger" else chosen, *NEEDED.get(chosen, [])]


def need_package(group: str, option: str) -> None:
    """Skip what is an extra that is not installed."""
    if group == "logger" and option in PACKAGES:
        pytest.importorskip(PACKAGES[option])
    if option.startswith("rsicd/"):
        pytest.importorskip("efficientnet_lite_pytorch")


@pytest.mark.parametrize(("group", "option"), options())
def test_every_option_passes_the_checks_of_a_run(
    composed: Compose, tmp_path: Path, group: str, option: str
) -> None:
    need_package(group, option)
    cfg = composed("train", *overrides(group, option), f"run.folder={tmp_path / 'run'}")
    asks_run = any("outputs/run" in str(key) for key in overrides(group, option))
    refusal = "There is no bundle in outputs/run" if asks_run else None
    if option == "gpu" and not torch.cuda.is_available():
        refusal = "trainer.accelerator=gpu needs a GPU"
    with pytest.raises(InputError, match=refusal) if refusal else nullcontext():
        plan = checks.check(cfg)
    assert not (tmp_path / "run").exists()
    if group in ("callbacks", "logger", "trainer", "debug") and not refusal:
        trainer = plan.trainer([])
        assert isinstance(trainer, L.Trainer)
        own_record = cfg.logger and "csv" not in cfg.logger
        assert len(trainer.loggers) == len(cfg.logger) + bool(own_record)


@pytest.mark.parametrize(("group", "option"), options("tokenizer"))
def test_tokenizers_of_either_side(composed: Compose, group: str, option: str) -> None:
    cfg = composed(
        "train",
        "tokenizer=word",
        f"tokenizer@source_tokenizer={option}",
        "tokenizer.shared=false",
        "source_tokenizer.shared=false",
        *(f"source_{needed}" for needed in NEEDED.get(f"{group}={option}", [])),
    )
    checks.check(cfg)


@pytest.mark.parametrize("name", ["evaluate", "generate"])
@pytest.mark.parametrize(("group", "option"), options("search", "scorer", "rule"))
def test_decoding_of_other_commands(composed: Compose, name: str, group: str, option: str) -> None:
    chosen = NEEDED.get(f"{group}={option}", [])
    needed = [override for override in chosen if override.startswith(group)]
    cfg = composed(name, f"{group}={option}", *needed, "run=somewhere")
    check_values(cfg)
    assert cfg[group] is not None
    if option != "none":
        assert all(make_each(cfg[group])) if group != "search" else make(cfg[group])


@pytest.mark.parametrize(
    ("overrides", "scorers"),
    [
        ([], None),
        (["objective.ctc_weight=0.3"], {"ctc": {"weight": 0.3}}),
        (["objective.ctc_weight=0.3", "scorer=none"], {}),
        (["experiment=an4/gru_ctc"], {"ctc": {"weight": 1.0}}),
        (["experiment=an4/gru_ctc", "objective.ctc_weight=0", "scorer=none"], {}),
        (["objective.ctc_weight=0.3", "scorer=coverage"], {"coverage": {"penalty": 0.2}}),
        (["objective.ctc_weight=0.3", "scorer=ctc", "scorer.ctc.weight=1"], {"ctc": {"weight": 1}}),
    ],
    ids=str,
)
def test_ctc_decides_as_much_as_in_training_unless_scorers_are_chosen(
    composed: Compose, overrides: list[str], scorers: dict[str, Any] | None
) -> None:
    cfg = composed("train", *overrides)
    checks.check(cfg)
    found = OmegaConf.to_container(cfg)["scorer"]
    for scorer in (found or {}).values():
        assert scorer.pop("_target_").startswith("tandem.search.scorers.")
    assert found == scorers


def test_no_key_is_dead() -> None:
    """Each YAML file's own keys are parameters of its ``_target_``, by name."""
    checked = 0
    for path in config_folder().rglob("*.yaml"):
        content = yaml.safe_load(path.read_text()) or {}
        content.pop("defaults", None)
        checked += _check_deep(content, path)
    assert checked > 50


def _check_deep(content: Any, path: Path) -> int:
    if not isinstance(content, dict):
        return 0
    package = str(content.get("_target_", "tandem")).partition(".")[0]
    if find_spec(package) is None:  # of an experiment that needs it
        return 0
    if "_target_" in content:
        checks.check_targets(content, path.stem)
    return ("_target_" in content) + sum(_check_deep(item, path) for item in content.values())


def test_every_shared_key_is_used() -> None:
    """A key of ``train.yaml`` is read by the code or by an interpolation."""
    root = config_folder()
    texts = [path.read_text() for path in root.rglob("*.yaml")]
    package = Path(build.__file__).parents[1]
    texts += [path.read_text() for path in package.rglob("*.py")]
    everything = "\n".join(texts)
    top = OmegaConf.load(root / "train.yaml")
    for key in top:
        if key in ("defaults", "hydra"):
            continue
        used = (f"${{{key}", f"cfg.{key}", f'"{key}"', f'config["{key}"]')
        assert any(text in everything for text in used), key


def test_a_rule_that_is_set_but_not_chosen(composed: Compose) -> None:
    cfg = composed("train", "rule=min_length", "+rule.banned.sequences=[[5]]")
    message = (
        r"^rule\.banned is set, but this rule is not chosen; add it: rule=\[min_length,banned\]"
    )
    with pytest.raises(InputError, match=message):
        checks.check(cfg)


@pytest.mark.parametrize(
    "values",
    [
        ["trainer.val_check_interval=0.5"],
        ["trainer.val_check_interval=0.5", "trainer.accumulate_grad_batches=4"],
        ["trainer.val_check_interval=0.5", "trainer.check_val_every_n_epoch=2"],
        ["trainer.val_check_interval=7"],
        ["trainer.max_time=00:00:10:00"],
        ["trainer.max_steps=9", "trainer.max_epochs=-1"],
        ["trainer.limit_train_batches=0.5", "trainer.limit_val_batches=3"],
    ],
    ids=" ".join,
)
def test_lengths_that_are_given(composed: Compose, values: list[str]) -> None:
    checks.check(composed("train", *values))
