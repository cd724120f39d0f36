"""Arguments that a study or a user wrote, as they go on to Hydra."""

import pytest

from tandem.config.overrides import config_flags, of_study, texts_as_written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gru", "gru"),
        ("1e-3", "1e-3"),  # a text to YAML
        ("null", "null"),
        ("[bleu,chrf]", "[bleu,chrf]"),
        ("{a: 1}", "{a: 1}"),
        ("${seed}", "${seed}"),
        ("'a, b'", "'a, b'"),
        ("a: b", "a: b"),
        ("c,d", '"c,d"'),
        ("it's", '"it\'s"'),
        ("out/lr=0.1", '"out/lr=0.1"'),
        (" a", '" a"'),
        ("a\\,b", '"a\\,b"'),
        ("[a", '"[a"'),
    ],
)
def test_a_study_s_text_gets_quotes_where_it_would_be_another_one(text: str, value: str) -> None:
    assert of_study("run.name", text) == f"run.name={value}"


@pytest.mark.parametrize(
    ("argument", "passed_on"),
    [
        ("run.name=1.10", 'run.name="1.10"'),
        ("++run.name=1e3", '++run.name="1e3"'),
        ("dataset.train=true", 'dataset.train="true"'),
        ("run.tags=1.10", 'run.tags="1.10"'),
        ("init_from=null", "init_from=null"),
        ("dataset.source=1", "dataset.source=1"),  # of a column
        ("dataset.test=0.1", "dataset.test=0.1"),  # a share
        ("optimizer.lr=1e-3", "optimizer.lr=1e-3"),
        ("trainer.precision=32", "trainer.precision=32"),
        ("run.name=a,b", "run.name=a,b"),
        ("~run.name=1.0", "~run.name=1.0"),
        ("run.name=", "run.name="),
        ("run.name='a", "run.name='a"),
    ],
)
def test_a_number_that_stands_for_a_text_keeps_its_digits(argument: str, passed_on: str) -> None:
    assert texts_as_written([argument]) == [passed_on]


def test_flags_that_say_where_a_config_comes_from() -> None:
    flags = ["--config-dir", "mine", "-cn=other"]
    assert config_flags(["seed=1", *flags, "--multirun", "--info", "all"]) == flags
