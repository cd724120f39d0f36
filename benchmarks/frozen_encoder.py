"""What a training step costs with an encoder as large as MiniLM-L6, trained in several ways.

    python benchmarks/frozen_encoder.py
    python benchmarks/frozen_encoder.py --rows 64 --steps 10 --ways frozen cached

The encoder (six layers of 384, feed-forward 1,536, 30,522 symbols) is trained whole, by adapters of
rank 8 (LoRA), not at all (frozen), or its outputs are given (cached), under a GRU decoder of 256
with additive attention and 2,000 symbols. Each way is a process of its own, one thread, with Adam.
Printed are the processor time of a step, the process's largest memory above that before the model
was made, the bytes that wait for the backward pass, and the share of trained parameters.
"""

import argparse
import multiprocessing
import os
import resource
import time
from functools import partial
from typing import Any

SYMBOLS, TARGET_SYMBOLS = 30_522, 2_000
WAYS = ("trained", "lora", "frozen", "cached")


def main() -> None:
    """Train in each way in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--length", type=int, default=24, help="of sources and targets")
    parser.add_argument("--steps", type=int, default=8, help="that count, behind two that do not")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for way in options.ways:
        child = multiprocessing.get_context("spawn").Process(
            target=train, args=(way, options.rows, options.length, options.steps)
        )
        child.start()
        child.join()


def train(way: str, rows: int, length: int, steps: int) -> None:
    """Some steps on one random batch."""
    import torch

    from tandem.core.memory import StoredMemory
    from tandem.core.types import Batch
    from tandem.inference.decoding import encode
    from tandem.inference.teacher_forcing import teacher_force
    from tandem.training.adapters import LoRA
    from tandem.training.losses import LabelSmoothedCrossEntropy
    from tandem.training.optimizer_groups import GroupedOptimizer, parameter_groups

    torch.manual_seed(0)
    ids = torch.randint(4, TARGET_SYMBOLS, (rows, length + 1))
    batch = Batch.of(
        source=torch.randint(4, SYMBOLS, (rows, length)),
        source_mask=torch.ones(rows, length, dtype=torch.bool),
        target_in=ids[:, :-1],
        target_out=ids[:, 1:],
        target_mask=torch.ones(rows, length, dtype=torch.bool),
        indices=torch.arange(rows),
    )
    before = peak()
    model = make_model().train()
    if way == "lora":
        parts = ("frontend", "encoder")
        LoRA(rank=8, alpha=16, dropout=0.0, modules=parts, frozen=parts).inject(model)
    frozen = {"frontend": {"frozen": True}, "encoder": {"frozen": True}}
    groups = parameter_groups(frozen if way in ("frozen", "cached") else None)
    optimizers = GroupedOptimizer(partial(torch.optim.Adam, lr=1e-4), groups)
    optimizers.freeze(model)
    optimizer = optimizers(model)
    if way == "cached":
        with torch.no_grad():
            memory = model.encode(batch.source, batch.source_mask)
        batch = batch._replace(
            memory=StoredMemory(memory.states, memory.mask, memory.summary, None)
        )
    cross_entropy = LabelSmoothedCrossEntropy(smoothing=0.1)
    waiting, seconds = 0, 0.0
    for step in range(steps + 2):
        start = time.process_time()
        with Saved() as saved:
            forced = teacher_force(model, encode(model, batch), batch)
            loss = cross_entropy(forced.features, model.output.weight, forced.target)
        waiting = saved.bytes
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds += (time.process_time() - start) * (step >= 2)
    total = model.num_parameters()
    trained = sum(parameter.numel() for parameter in optimizers.trained(model).values())
    print(
        f"{way}: {seconds / steps:.3f} s a step, {peak() - before:,.0f} MB, of which "
        f"{waiting / 2**20:,.0f} MB wait for the backward pass; {trained:,} of {total:,} "
        f"parameters ({trained / total:.1%}) are trained",
        flush=True,
    )


def make_model() -> Any:
    """A Transformer encoder, and a GRU decoder with additive attention."""
    from tandem.attentions import AdditiveAttention
    from tandem.bridges import LinearBridge
    from tandem.decoders import RecurrentDecoder
    from tandem.encoders import TransformerEncoder
    from tandem.frontends import TextFrontend
    from tandem.models import assemble

    encoder = partial(
        TransformerEncoder,
        hidden_size=384,
        num_layers=6,
        num_heads=12,
        feed_forward_size=1536,
        norm="post",
        activation="gelu",
        positions="learned",
        max_length=512,
        input_dropout=0.1,
        dropout=0.1,
        attention_dropout=0.1,
        activation_dropout=0.0,
    )
    decoder = partial(
        RecurrentDecoder,
        attention=partial(AdditiveAttention, size=256),
        bridge=LinearBridge,
        cell="gru",
        hidden_size=256,
        num_layers=1,
        input_feeding=False,
        output_size=256,
        dropout=0.1,
    )
    return assemble(
        frontend=partial(TextFrontend, embedding_size=384, dropout=0.1),
        encoder=encoder,
        decoder=decoder,
        embedding_size=256,
        tie_embeddings="target",
        copying=False,
        dropout=0.1,
        ctc_weight=0.0,
        source_size=SYMBOLS,
        target_size=TARGET_SYMBOLS,
        shared_vocabulary=False,
    )


class Saved:
    """Counts what operations keep for the backward pass, beside parameters."""

    def __enter__(self) -> "Saved":
        import torch

        self.bytes = 0
        seen: set[int] = set()

        def count(tensor: Any) -> Any:
            if not isinstance(tensor, torch.nn.Parameter) and tensor.data_ptr() not in seen:
                seen.add(tensor.data_ptr())
                self.bytes += tensor.nbytes
            return tensor

        self.hooks = torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor)
        self.hooks.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self.hooks.__exit__(*raised)


def peak() -> float:
    """The most that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
