"""Target tokens per second in training: Tandem beside Hugging Face Marian, same sizes, one process.

    pip install -e '.[bench]'
    python benchmarks/train_speed.py

Both train on the same random batches of Multi30k's lengths: 8,000 symbols shared by source,
target and vocabulary layer, 4 + 4 layers of size 128 with feed-forward 256 and 4 heads, dropout
0.3, label smoothing 0.1, Adam, 4,096 padded target tokens a batch, fp32, and Tandem also with
rounded products. All take turns, so that a drift of the machine's speed meets all; the ratio of
the medians is the figure to quote. Few batches have few shapes, whose kernels are soon compiled;
an epoch has many more.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from tandem.attentions import AdditiveAttention, MultiHeadAttention
from tandem.bridges import LinearBridge
from tandem.core.kernels import bound_kernels
from tandem.core.types import Batch
from tandem.data.batching import Budget, Encoded, plan_batches
from tandem.data.columns import TextColumn
from tandem.data.ragged import Ragged
from tandem.decoders import Decoder, RecurrentDecoder, TransformerDecoder
from tandem.encoders import Encoder, RecurrentEncoder, TransformerEncoder
from tandem.frontends import TextFrontend
from tandem.models import Seq2Seq, assemble
from tandem.training.losses import LabelSmoothedCrossEntropy

VOCABULARY, SIZE, INNER, LAYERS, HEADS, DROPOUT, SMOOTHING = 8000, 128, 256, 4, 4, 0.3, 0.1


def batches(count: int, seed: int) -> list[Batch]:
    """Random batches whose lengths are spread as those of Multi30k's captions (mean 15)."""
    rng = np.random.default_rng(seed)
    target = np.clip(rng.gamma(9.0, 15 / 9.0, 29_000).round(), 4, 45).astype(int)
    source = np.clip((target + rng.normal(0, 2, len(target))).round(), 4, 45).astype(int)

    def rows(lengths: np.ndarray) -> Ragged:
        ids = rng.integers(4, VOCABULARY, int(lengths.sum()), dtype=np.int32)
        return Ragged(ids, np.concatenate(([0], lengths.cumsum())))

    encoded = Encoded(
        TextColumn(rows(source), before=None, after=2), rows(target), np.arange(len(target))
    )
    budget = Budget(max_tokens=4096, max_source_tokens=1 << 30, max_sentences=None)
    return [encoded.collate(chosen) for chosen in plan_batches(encoded, budget, rng=rng)[:count]]


def assembled(
    encoder: Callable[..., Encoder],
    decoder: Callable[..., Decoder],
    *,
    tie_embeddings: str,
    dropout: float,
) -> Seq2Seq:
    """A text model of these parts with the benchmark's vocabulary and embeddings."""
    return assemble(
        frontend=partial(TextFrontend, embedding_size=SIZE, dropout=dropout),
        encoder=encoder,
        decoder=decoder,
        embedding_size=SIZE,
        tie_embeddings=tie_embeddings,
        copying=False,
        dropout=dropout,
        ctc_weight=0.0,
        source_size=VOCABULARY,
        target_size=VOCABULARY,
        shared_vocabulary=True,
    )


def transformer() -> Seq2Seq:
    """Tandem's Transformer with Marian's sizes."""
    shape: dict[str, Any] = {
        "hidden_size": SIZE,
        "num_layers": LAYERS,
        "num_heads": HEADS,
        "feed_forward_size": INNER,
        "norm": "post",
        "activation": "relu",
        "positions": "sinusoidal",
        "max_length": 512,
        "input_dropout": DROPOUT,
        "dropout": DROPOUT,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
    }
    attention = partial(MultiHeadAttention, num_heads=HEADS, dropout=0.0)
    return assembled(
        partial(TransformerEncoder, **shape),
        partial(TransformerDecoder, attention=attention, **shape),
        tie_embeddings="all",
        dropout=0.0,
    )


def gru(hidden_size: int, output_size: int = SIZE, tie_embeddings: str = "target") -> Seq2Seq:
    """A GRU with additive attention and input feeding."""
    return assembled(
        partial(
            RecurrentEncoder,
            cell="gru",
            hidden_size=2 * hidden_size,
            num_layers=1,
            bidirectional=True,
            reverse=False,
            output_dropout=0.0,
            dropout=DROPOUT,
        ),
        partial(
            RecurrentDecoder,
            attention=partial(AdditiveAttention, size=hidden_size),
            bridge=LinearBridge,
            cell="gru",
            hidden_size=hidden_size,
            num_layers=1,
            input_feeding=True,
            output_size=output_size,
            dropout=DROPOUT,
        ),
        tie_embeddings=tie_embeddings,
        dropout=DROPOUT,
    )


def tandem_step(model: Seq2Seq) -> Callable[[Batch], None]:
    """One training step as ``Seq2SeqModule`` takes it."""
    loss = LabelSmoothedCrossEntropy(smoothing=SMOOTHING)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    model.train()

    def step(batch: Batch) -> None:
        state = model.start(model.encode(batch.source, batch.source_mask))
        features = model.decode(batch.target_in, state).features.flatten(0, 1)
        real = batch.target_positions
        optimizer.zero_grad(set_to_none=True)
        loss(features[real], model.output.weight, batch.target_out.flatten()[real]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def rounded(step: Callable[[Batch], None]) -> Callable[[Batch], None]:
    """The same step as ``callbacks=[default,matmul_precision]`` takes it."""

    def rounded_step(batch: Batch) -> None:
        torch.set_float32_matmul_precision("medium")
        step(batch)
        torch.set_float32_matmul_precision("highest")

    return rounded_step


def marian() -> nn.Module:
    """Hugging Face's Marian, with its own choice of attention kernel."""
    from transformers import MarianConfig, MarianMTModel

    config = MarianConfig(
        vocab_size=VOCABULARY,
        d_model=SIZE,
        encoder_layers=LAYERS,
        decoder_layers=LAYERS,
        encoder_ffn_dim=INNER,
        decoder_ffn_dim=INNER,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        dropout=DROPOUT,
        attention_dropout=0.0,
        activation_dropout=0.0,
        activation_function="relu",
        max_position_embeddings=512,
        scale_embedding=True,
        pad_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=1,
        forced_eos_token_id=None,
    )
    model: nn.Module = MarianMTModel(config)
    return model


def marian_step() -> tuple[Callable[[Batch], None], int]:
    """One training step of Marian, without the cache that training does not need."""
    import torch.nn.functional as F

    model = marian().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def step(batch: Batch) -> None:
        logits = model(
            input_ids=batch.source,
            attention_mask=batch.source_mask.long(),
            decoder_input_ids=batch.target_in,
            use_cache=False,
        ).logits
        target = batch.target_out.masked_fill(~batch.target_mask, -100)
        loss = F.cross_entropy(
            logits.flatten(0, 1), target.flatten(), ignore_index=-100, label_smoothing=SMOOTHING
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step, sum(p.numel() for p in model.parameters() if p.requires_grad)


def main() -> None:
    """Time all systems in turns and print their medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, default=4, help="batches a round")
    parser.add_argument("--no-marian", action="store_true", help="time Tandem alone")
    options = parser.parse_args()
    bound_kernels()  # as `tandem train` does
    torch.manual_seed(0)
    work = batches(options.batches, seed=0)
    small = gru(256)
    model = transformer()
    systems = {
        f"Tandem Transformer, {model.num_parameters():,} parameters": tandem_step(model),
        "the same, matmul_precision": rounded(tandem_step(transformer())),
        f"Tandem GRU with input feeding, {small.num_parameters():,} parameters": tandem_step(small),
        "the same GRU, matmul_precision": rounded(tandem_step(gru(256))),
    }
    if not options.no_marian:
        step, parameters = marian_step()
        systems[f"Marian, {parameters:,} parameters"] = step
    tokens = sum(batch.num_symbols for batch in work)
    speeds: dict[str, list[float]] = {name: [] for name in systems}
    for round_number in range(options.rounds + 1):
        for name, step in systems.items():
            start = time.perf_counter()
            for batch in work:
                step(batch)
            if round_number:  # the first one warms up
                speeds[name].append(tokens / (time.perf_counter() - start))
    for name, values in speeds.items():
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{name}: median {middle:,.0f} target tokens/s (min {low:,.0f}, max {high:,.0f})")
    if not options.no_marian:
        medians = [statistics.median(values) for values in speeds.values()]
        print(f"Tandem Transformer / Marian: {medians[0] / medians[-1]:.2f} x")


if __name__ == "__main__":
    main()
