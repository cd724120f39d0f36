"""Several bundles as one."""

import pytest
import torch

from tandem.core.errors import InputError
from tandem.inference.ensemble import load_bundles

SOURCES = ["a b c", "d", "c c a b"]


def greedy_by_hand(models, source: list[int], max_length: int, average: str) -> list[int]:
    """Each model's whole pass for each prefix."""
    read, written = torch.tensor([source]), [1]
    while len(written) <= max_length and written[-1] != 2:
        mask, prefix = torch.ones_like(read).bool(), torch.tensor([written])
        passes = [model(read, mask, prefix) for model in models]
        log_probs = torch.stack([logits[0, -1].log_softmax(-1) for logits in passes])
        joined = log_probs.exp().mean(0) if average == "probability" else log_probs.mean(0)
        written.append(int(joined.argmax()))
    return written[1:]


@torch.inference_mode()
@pytest.mark.parametrize("average", ["probability", "log"])
def test_models_of_different_sizes_decide_together(small_bundle, average) -> None:
    folders = [
        small_bundle("one"),
        small_bundle("two", seed=1, hidden_size=6),
        small_bundle("three", seed=2, attention="NoAttention"),
    ]
    bundle = load_bundles(folders, average=average)
    assert len(bundle.models) == 3
    for source, (best,) in zip(SOURCES, bundle.hypotheses(SOURCES), strict=True):
        ids = [*bundle.processors.source.read([source]).ids.row(0), 2]
        assert best.tokens == greedy_by_hand(bundle.models, ids, 5, average)


def test_one_folder_and_twice_the_same_folder(small_bundle) -> None:
    folder = small_bundle("one")
    alone = load_bundles(folder)
    assert alone.partners == ()
    assert load_bundles([folder, folder]).generate(SOURCES) == alone.generate(SOURCES)


@pytest.mark.parametrize("side", ["source", "target"])
def test_other_vocabularies(small_bundle, side) -> None:
    folders = [small_bundle("one"), small_bundle("two"), small_bundle("bad", **{side: "a b q"})]
    with pytest.raises(InputError) as caught:
        load_bundles(folders)
    what = {
        "source": "source vocabularies, features or data.truncate_source",
        "target": "target vocabularies",
    }
    assert str(caught.value) == (
        f"The runs {folders[0]} and {folders[2]} cannot form an ensemble, as their {what[side]} "
        "differ; train them on the same data with the same tokenizer and options."
    )


def test_other_mistakes(small_bundle) -> None:
    folders = [small_bundle("one"), small_bundle("two", truncate_source=3)]
    with pytest.raises(InputError) as caught:
        load_bundles(folders)
    assert str(caught.value) == (
        f"The runs {folders[0]} and {folders[1]} cannot form an ensemble, as their source "
        "vocabularies, features or data.truncate_source differ; train them on the same data with "
        "the same tokenizer and options."
    )
    with pytest.raises(InputError, match=r"^`run` is an empty list; give one folder"):
        load_bundles([])
    with pytest.raises(InputError, match=r"^`average` must be one of probability, log"):
        load_bundles(folders[0], average="mean")
