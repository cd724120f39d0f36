"""How ranks work together, as far as one process can tell."""

from functools import partial

import pytest
from torch.optim import Adafactor, AdamW

from tandem.core.errors import InputError
from tandem.metrics import ExactMatch
from tandem.testing import partners
from tandem.training.layer_drop import LayerDrop
from tandem.training.noise import Noise, WordDropout
from tandem.training.optimizer_groups import GroupedOptimizer, ParameterGroup
from tandem.training.replication import ReplicatedStrategy
from tandem.training.self_critical import SelfCritical
from tandem.training.sharding import ShardedStrategy, layers_of
from tandem.training.strategies import check_strategy, make_strategy

RISK = SelfCritical(
    metric={"exact_match": ExactMatch(lowercase=False)},
    num_samples=2,
    baseline="others",
    weight=0.5,
)
ADAMW = GroupedOptimizer(partial(AdamW, lr=1.0), {})
ADAFACTOR = GroupedOptimizer(partial(Adafactor, lr=1.0), {})
WORDS, LAYERS = WordDropout(source=0.1, target=0.1), LayerDrop(probability=0.1)


def test_names_of_strategies() -> None:
    assert isinstance(make_strategy("ddp"), ReplicatedStrategy)
    assert isinstance(make_strategy("fsdp"), ShardedStrategy)
    assert make_strategy("auto") == "auto"


@pytest.mark.parametrize(
    ("noise", "risk", "optimizer", "message"),
    [
        (
            [WORDS],
            RISK,
            ADAMW,
            "trainer=fsdp needs all processes to call the same layers equally often, but risk lets "
            "each process search for outputs of other lengths; set risk=null, or choose "
            "trainer=ddp.",
        ),
        (
            [WORDS, LAYERS],
            None,
            ADAMW,
            "trainer=fsdp needs all processes to call the same layers equally often, but LayerDrop "
            "in `noise` lets processes differ in this; leave it out, or choose trainer=ddp.",
        ),
        (
            [],
            None,
            GroupedOptimizer(partial(AdamW, lr=1.0), {"encoder": ParameterGroup(frozen=5)}),
            "trainer=fsdp shards weights once, so optimizer.groups cannot freeze any for some "
            "steps only; set frozen to true or false, or choose trainer=ddp.",
        ),
        (
            [],
            None,
            ADAFACTOR,
            "optimizer=adafactor looks at whole weights, of which a process has only a part with "
            "trainer=fsdp; choose optimizer=adamw, or trainer=ddp.",
        ),
    ],
    ids=["risk", "noise", "thaw", "optimizer"],
)
def test_what_cannot_be_sharded(
    noise: list[Noise], risk: SelfCritical | None, optimizer: GroupedOptimizer, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_strategy("fsdp", noise=noise, risk=risk, optimizer=optimizer, compiles=False)
    assert str(caught.value) == message
    check_strategy("ddp", noise=noise, risk=risk, optimizer=optimizer, compiles=True)
    check_strategy("fsdp", noise=[WORDS], risk=None, optimizer=ADAMW, compiles=False)


def test_what_is_compiled_cannot_be_sharded() -> None:
    with pytest.raises(InputError) as caught:
        check_strategy("fsdp", noise=[], risk=None, optimizer=ADAMW, compiles=True)
    assert str(caught.value) == (
        "model.compile=true has not been made to work with trainer=fsdp; set "
        "model.compile=false, or choose trainer=ddp."
    )


def test_layers_are_those_that_a_pass_calls_once() -> None:
    transformer = partners.transformer_encoder(input_size=8)
    assert layers_of(transformer) == list(transformer.layers)
    decoder = partners.transformer_decoder()(input_size=8, memory_size=8)
    assert layers_of(decoder) == list(decoder.layers)
    assert layers_of(partners.gru_encoder(input_size=8)) == []  # whose layers are not called
