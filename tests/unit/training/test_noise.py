"""What training reads in place of the right symbols."""

import math
import re

import pytest
import torch

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS, Batch
from tandem.training.noise import ScheduledSampling, WordDropout


def large(batch: Batch) -> Batch:
    """A thousand times the same two examples."""
    return Batch.of(
        **{name: torch.cat([getattr(batch, name)] * 1000) for name in Batch._fields[:6]}
    )


def unchanged(one: Batch, other: Batch, *names: str) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)


REST = ("source_mask", "target_out", "target_mask", "indices")


def test_word_dropout_loses_so_many_symbols_and_no_special_ones(batch, make) -> None:
    given = large(batch)
    lost = WordDropout(source=0.3, target=0.6)(make(), given, 0)
    assert unchanged(given, lost, *REST)
    for name, share in (("source", 0.3), ("target_in", 0.6)):
        old, new = getattr(given, name), getattr(lost, name)
        words = old > SPECIAL_IDS.unk
        assert torch.equal(old[~words], new[~words])
        changed = new[words] != old[words]
        assert set(new[words][changed].tolist()) == {SPECIAL_IDS.unk}
        assert changed.double().mean().item() == pytest.approx(share, abs=0.03)


def test_word_dropout_leaves_vectors_alone(batch, make) -> None:
    noise = WordDropout(source=0.0, target=0.5)
    assert noise(make(), batch, 0).source is batch.source


def sampling(schedule="linear", probability=0.5, start=0, steps=1) -> ScheduledSampling:
    return ScheduledSampling(schedule=schedule, probability=probability, start=start, steps=steps)


@pytest.mark.parametrize("copying", [False, True])
def test_own_symbols_follow_the_models_distribution(batch, make, copying) -> None:
    model, given = make(copying=copying), large(batch)
    model.dropout.p = 0.5  # the first pass has none
    torch.manual_seed(0)
    mixed = sampling()(model, given, 1)
    assert model.training
    assert unchanged(given, mixed, "source", *REST)
    model.eval()
    expected = model(batch.source, batch.source_mask, batch.target_in).softmax(-1)
    for row, position in ((0, 1), (0, 2), (0, 3), (1, 1)):
        symbols = mixed.target_in[row::2, position]
        found = symbols.bincount(minlength=7) / 1000
        hoped = 0.5 * expected[row, position - 1]
        hoped[batch.target_in[row, position]] += 0.5
        torch.testing.assert_close(found.double(), hoped, rtol=0, atol=0.06)
    stays = [mixed.target_in[:, 0], mixed.target_in[1::2, 2:]]
    assert torch.equal(stays[0], given.target_in[:, 0])
    assert not stays[1].any()


def test_nothing_is_drawn_before_the_schedule_starts(batch, make) -> None:
    assert sampling(start=5)(make(), batch, 5) is batch
    assert sampling("inverse_sigmoid", start=5)(make(), batch, 4) is batch


def test_schedules_by_hand() -> None:
    linear = sampling(probability=0.4, start=10, steps=20)
    assert [linear.probability_at(step) for step in (0, 10, 15, 30, 99)] == [0, 0, 0.1, 0.4, 0.4]
    sigmoid = sampling("inverse_sigmoid", probability=0.4, start=10, steps=20)
    assert sigmoid.probability_at(9) == 0
    for step in (10, 40, 200):  # e_i = k / (k + exp(i / k))
        right = 20 / (20 + math.exp((step - 10) / 20))
        assert sigmoid.probability_at(step) == pytest.approx(0.4 * (1 - right))
    assert sigmoid.probability_at(10**6) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("make_noise", "message"),
    [
        (
            lambda: WordDropout(source=1.0, target=0.0),
            "`noise.word_dropout.source` must be at least 0 and below 1, but is 1.0.",
        ),
        (
            lambda: sampling(probability=-0.1),
            "`noise.scheduled_sampling.probability` must be at least 0 and below 1, but is -0.1.",
        ),
        (
            lambda: sampling("quadratic"),
            "`noise.scheduled_sampling.schedule` must be linear or inverse_sigmoid, but is "
            "'quadratic'.",
        ),
        (
            lambda: sampling(steps=0),
            "`noise.scheduled_sampling.steps` must be at least 1, but is 0.",
        ),
    ],
)
def test_bad_options(make_noise, message) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        make_noise()


def test_own_symbols_leave_frozen_modules_in_evaluation_mode(batch, make) -> None:
    model = make()
    model.encoder.eval()
    modes = {name: module.training for name, module in model.named_modules()}
    torch.manual_seed(0)
    sampling()(model, large(batch), 1)
    assert {name: module.training for name, module in model.named_modules()} == modes
    assert model.training
