"""N-best rescoring: outputs of any vocabulary are ranked by what a language model says of them."""

import pytest

from tandem.config.bundles import with_decoding
from tandem.core.errors import InputError
from tandem.inference.bundle import load_bundle

SOURCES = ["a b c", "d", "c c a b"]


def ranked(compose_config, run, language_model, *options: str):
    return with_decoding(
        load_bundle(run),
        compose_config(
            "generate",
            f"run={run}",
            "search=beam",
            f"rescoring.path={language_model}",
            *options,
        ),
    )


@pytest.mark.parametrize("length_penalty", ["average", "none"])
def test_scores_are_sums(
    small_bundle, small_language_model, compose_config, length_penalty
) -> None:
    run, other = small_bundle("run"), small_language_model("lm", target="z y x w v")
    options = (f"rescoring.length_penalty={length_penalty}", "rescoring.weight=3")
    bundle = ranked(compose_config, run, other, *options)
    plain = with_decoding(load_bundle(run), compose_config("generate", f"run={run}", "search=beam"))
    language_model, decode = load_bundle(other), bundle.processors.target.decode
    for before, after in zip(plain.hypotheses(SOURCES), bundle.hypotheses(SOURCES), strict=True):
        expected = {}
        for one in before:
            (pair,) = language_model.score([""], [decode(one.tokens)])
            divisor = len(pair.tokens) if length_penalty == "average" else 1
            expected[tuple(one.tokens)] = one.score + 3 * pair.log_prob / divisor
        assert {tuple(one.tokens): one.score for one in after} == pytest.approx(expected, abs=1e-5)
        assert [one.score for one in after] == sorted((one.score for one in after), reverse=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["search=greedy"], r"^rescoring chooses among several outputs .*; add search=beam"),
        (["metric@mbr=chrf"], r"^metric@mbr and rescoring both rank"),
        (["rescoring.path={run}"], r"reads a source, but outputs are ranked by a language model"),
    ],
    ids=["one output", "two rankers", "a translator"],
)
def test_what_cannot_be_ranked(
    small_bundle, small_language_model, compose_config, options, message
) -> None:
    run, other = small_bundle("run"), small_language_model("lm")
    with pytest.raises(InputError, match=message):
        ranked(compose_config, run, other, *(option.format(run=run) for option in options))
