"""Every option and every key of ``conf/`` says what it means, which help and completion show."""

from pathlib import Path

import pytest

from tandem.config.catalogue import View, config_groups, read_option, view
from tandem.core.errors import InputError

GROUPS = config_groups()
COMMANDS = ("train", "evaluate", "generate", "score", "serve", "sweep", "report")


def unexplained(view: View) -> list[str]:
    return [one.name for one in view.entries.values() if not one.comment and not one.is_section]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command: str) -> None:
    made = view(command)
    assert made.entries
    assert unexplained(made) == []
    assert [name for name, default in made.groups.items() if not default.comment] == []


@pytest.mark.parametrize("group", GROUPS)
def test_options(group: str) -> None:
    for option in GROUPS[group]:
        assert read_option(group, option).summary, f"{group}={option} has no comment at its top"
        assert unexplained(view("train", [f"{group}={option}"])) == [], f"{group}={option}"


def test_what_is_chosen_decides_which_keys_there_are() -> None:
    made = view("train", ["encoder=transformer", "dataset=multi30k", "metric=[ter]", "seed=1"])
    assert made.groups["encoder"].options == ("transformer",)
    assert made.groups["tokenizer"].options == ("bpe",)  # which the dataset chooses
    assert made.groups["metric"].options == ("ter",)  # and here the command line
    assert made.entries["encoder.num_heads"].value == "4"
    assert made.entries["encoder.num_heads"].comment == "number of heads; must divide hidden_size"
    assert {"tokenizer.dropout", "metric.ter.normalized", "dataset.variant"} <= made.entries.keys()
    assert not {"encoder.cell", "metric.exact_match.lowercase"} & made.entries.keys()


def test_presets_begin_with_others() -> None:
    made = view("train", ["experiment=g2p/lstm", "callbacks=[default,ema]", "trainer=ddp"])
    assert made.groups["dataset"].options == ("g2p",)
    assert made.entries["source_tokenizer.vocabulary_size"].comment
    assert made.entries["callbacks.best.monitor"].like == "monitor.name"
    assert made.entries["callbacks.best.monitor"].comment == made.entries["monitor.name"].comment
    assert made.entries["callbacks.ema.decay"].comment
    assert made.entries["trainer.devices"].value == "2"
    assert made.entries["trainer.precision"].comment
    risk = view("train", ["risk=self_critical"])
    assert risk.entries["risk.metric.chrf.beta"].comment
    other = view("train", ["risk=self_critical", "metric@risk.metric=wer"])
    assert "risk.metric.wer.normalization" in other.entries
    assert "risk.metric.chrf.beta" not in other.entries


def test_an_option_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "conf" / "encoder" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# Mine.\n_target_: mine.Encoder\n# Rooms in\n# the house.\nrooms: '# 7'\n")
    assert config_groups()["encoder"] == sorted([*GROUPS["encoder"], "mine"])
    assert read_option("encoder", "mine").summary == ("Mine.",)
    entry = view("train", ["encoder=mine"]).entries["encoder.rooms"]
    assert (entry.value, entry.comment) == ("'# 7'", "Rooms in the house.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "encoder=mien is not an option (did you mean mine?); the options are cnn, "),
        ("a: [", "mien.yaml is not YAML (while parsing a flow"),
        ("- a\n- b\n", "mien.yaml must hold keys"),
    ],
)
def test_an_option_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "conf" / "encoder"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("a: 1\n")
    if text is not None:
        (folder / "mien.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        view("train", ["encoder=mien"])
    assert message in str(caught.value)
