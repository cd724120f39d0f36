"""What a bundle's methods take as a list of sources or targets, and what they refuse."""

from pathlib import Path

import numpy as np
import pytest

from tandem.core.errors import InputError
from tandem.inference import load_bundle, load_bundles


@pytest.fixture
def bundle(small_bundle):
    return load_bundle(small_bundle("bundle"))


@pytest.mark.parametrize(
    "sources",
    [
        ("a b", "c"),
        np.array(["a b", "c"]),
        (text for text in ("a b", "c")),
        {"a b": 1, "c": 2}.keys(),
        [Path("a b"), "c"],
    ],
    ids=lambda sources: type(sources).__name__,
)
def test_any_collection_of_texts_or_paths(bundle, sources) -> None:
    assert bundle.generate(sources) == bundle.generate(["a b", "c"])


def test_nothing(bundle) -> None:
    assert bundle.generate(iter(())) == bundle.hypotheses(()) == bundle.score([], ()) == []
    assert bundle.attention([], []) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        *(
            (one, f"but is the single one {one!r}; put it into a list, [...], and")
            for one in ("a b", np.str_("a b"), Path("a.png"), b"a b")
        ),
        *((none, f"but is {none!r}; give a list, such as") for none in (None, 3, True)),
        *(
            (["a", item], f"[1] is {item!r}; give a text or a path there.")
            for item in (None, 3, b"a", ["b"], float("nan"))
        ),
    ],
)
def test_what_is_no_list_of_texts(bundle, given, said: str) -> None:
    calls = {
        "sources": (
            bundle.generate,
            bundle.hypotheses,
            lambda sources: bundle.score(sources, ["x"]),
            lambda sources: bundle.attention(sources, []),
        ),
        "targets": (lambda targets: bundle.score(["a"], targets),),
    }
    for name, methods in calls.items():
        for call in methods:
            with pytest.raises(InputError) as caught:
                call(given)
            assert str(caught.value).startswith(f"`{name}` must be a list of texts or paths, but ")
            assert said in str(caught.value)


def test_pairs_that_do_not_fit_together(bundle, small_bundle) -> None:
    for call, name in ((bundle.score, "targets"), (bundle.attention, "hypotheses")):
        with pytest.raises(InputError, match=f"There are 2 `sources` and 1 `{name}`, but each"):
            call(["a", "b"], ["x"])
    ensemble = load_bundles([small_bundle("one"), small_bundle("two", seed=1)])
    for call in (ensemble.score, ensemble.attention):
        with pytest.raises(
            InputError, match="is of one model, but this bundle is an ensemble of 2"
        ):
            call(["a"], ["x"])


def test_attention_is_that_of_each_output(bundle, small_bundle) -> None:
    """Rows of weights in the model's own precision, of symbols that are named."""
    sources = ["a b c", "d"]
    hypotheses = bundle.hypotheses(sources)
    looks = bundle.attention(sources, hypotheses)
    for source, ones, attentions in zip(sources, hypotheses, looks, strict=True):
        for one, look in zip(ones, attentions, strict=True):
            assert look.source == [*source.split(), "<eos>"]
            assert look.target == bundle.processors.target.tokens(one.tokens)
            assert look.weights.shape == (len(look.target), len(look.source))
            assert look.weights.dtype == np.float32
            np.testing.assert_allclose(look.weights.sum(1), 1, atol=1e-6)
    blind = load_bundle(small_bundle("blind", attention="NoAttention"))
    with pytest.raises(InputError, match=r"^attention\(\) needs attention weights"):
        blind.attention(sources, blind.hypotheses(sources))
