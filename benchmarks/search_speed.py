"""Sentences per second in generation: Tandem beside other systems of the same sizes.

    pip install -e '.[bench]'
    python benchmarks/search_speed.py
    python benchmarks/search_speed.py --device cuda --size base --precision bf16
    pip install --no-deps joeynmt==2.3.0
    pip install importlib_metadata sacremoses sentencepiece subword-nmt
    python benchmarks/search_speed.py --model gru
    pip install bitarray cython regex scikit-learn wheel
    pip install --no-deps --no-build-isolation fairseq-fixed==0.12.3.1
    python benchmarks/search_speed.py --model cnn

All search with the same width in batches of 64 sources for exactly 20 symbols: ``eos`` is made
impossible in all, so that untrained models do the same work. They take turns, and the ratio of the
medians is the figure to quote. The sizes are those of ``train_speed.py``; the following are of
``--size tiny``, the default. On a GPU, and under bf16 autocast, only ``generate`` is a peer.

``transformer``: 4 + 4 layers of size 128 with feed-forward 256 and 4 heads, beside Hugging Face's
``generate`` and what ``tandem export`` makes of the model for ONNX Runtime, over which Tandem
searches, and for CTranslate2, which searches by itself; both also with weights in int8.
``gru``: embeddings of 128, a bidirectional encoder and a decoder of one layer of 256 with additive
attention and input feeding, beside JoeyNMT, whose requirements pin versions of other packages that
it does not need here.
``cnn``: ConvS2S of 4 + 4 layers of 128 with kernels of 3 and dot attention in each decoder layer,
beside fairseq, whose last release does not run on Python 3.11; fairseq-fixed is a copy that does.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from systems import SIZES, Size, assembled, batches, exported, gru, marian, transformer
from timing import Timed, in_turns

from tandem.attentions import DotAttention
from tandem.core.allocator import keep_freed_memory
from tandem.core.types import SPECIAL_IDS, Batch
from tandem.decoders import CNNDecoder
from tandem.encoders import CNNEncoder
from tandem.inference import load_bundle
from tandem.models import Seq2Seq, SequenceModel
from tandem.search import BeamSearch, GreedySearch, Search, Step

ROWS, LENGTH = 64, 20


def cnn(size: Size) -> Seq2Seq:
    """ConvS2S with fairseq's sizes."""
    shape: dict[str, Any] = {
        "hidden_size": size.hidden,
        "num_layers": size.layers,
        "kernel_size": 3,
        "positions": "learned",
        "scale_positions": True,
        "max_length": 512,
        "input_dropout": 0.0,
        "dropout": 0.0,
    }
    return assembled(
        size,
        partial(CNNEncoder, **shape),
        partial(CNNDecoder, attention=DotAttention, output_size=size.hidden, **shape),
        tie_embeddings="none",
        dropout=0.0,
    )


def sources(size: str, count: int, device: str) -> list[Batch]:
    """Batches of 64 sources."""
    made = batches(size, 10_000)
    return [batch.to(device) for batch in made if len(batch.source) >= ROWS][:count]


def tandem_run(model: SequenceModel, width: int) -> Callable[[Batch], int]:
    """Tandem's search."""
    search: Search = (
        GreedySearch()
        if width == 1
        else BeamSearch(width=width, length_penalty="average", alpha=1.0, stop="pool")
    )

    def step(tokens: torch.Tensor, state):  # type: ignore[no-untyped-def]
        logits, state = model.step(tokens, state)
        logits[:, SPECIAL_IDS.eos] = -1e9
        return logits, state

    def run(batch: Batch) -> int:
        state = model.start(model.encode(batch.source[:ROWS], batch.source_mask[:ROWS]))
        first = batch.source.new_full((ROWS,), SPECIAL_IDS.bos)
        found = search(Step(step, normalized=False), state, first=first, max_length=LENGTH)
        return sum(len(hypotheses[0].tokens) for hypotheses in found)

    return run


def generate_run(size: Size, width: int, device: str) -> Callable[[Batch], int]:
    """Hugging Face's generate with Marian."""
    model = marian(size).to(device).eval()

    def run(batch: Batch) -> int:
        output = model.generate(  # type: ignore[operator]
            input_ids=batch.source[:ROWS],
            attention_mask=batch.source_mask[:ROWS].long(),
            num_beams=width,
            do_sample=False,
            min_new_tokens=LENGTH,
            max_new_tokens=LENGTH,
        )
        return int((output.size(1) - 1) * len(output))

    return run


def exported_run(size: Size, width: int, format: str, weights: str) -> Callable[[Batch], int]:
    """Tandem's search over its model as another program computes it.

    :param format: onnx.
    :param weights: float32 or int8.
    """
    return tandem_run(load_bundle(exported(size, format, weights)).model, width)


def ctranslate2_run(size: Size, width: int, weights: str) -> Callable[[Batch], int]:
    """CTranslate2's own search over the same model.

    :param weights: float32 or int8.
    """
    import ctranslate2

    folder = exported(size, "ctranslate2", weights)
    symbols = load_bundle(folder).processors.target.symbols
    translator = ctranslate2.Translator(
        str(folder / "ctranslate2"), intra_threads=torch.get_num_threads()
    )

    def run(batch: Batch) -> int:
        rows = zip(batch.source[:ROWS].tolist(), batch.source_mask[:ROWS].sum(1), strict=True)
        texts = [[symbols[token] for token in row[: length - 1]] for row, length in rows]
        found = translator.translate_batch(
            texts, beam_size=width, min_decoding_length=LENGTH, max_decoding_length=LENGTH
        )
        return sum(len(one.hypotheses[0]) for one in found)

    return run


def joeynmt_run(size: Size, width: int) -> Callable[[Batch], int]:
    """JoeyNMT's search over its own recurrent model."""
    from joeynmt.model import build_model
    from joeynmt.search import beam_search, greedy
    from joeynmt.vocabulary import Vocabulary

    names = {f"{name}_token": f"<{name}>" for name in ("unk", "pad", "bos", "eos")}
    ids = {"unk_id": 0, "pad_id": 1, "bos_id": 2, "eos_id": 3}
    special = SimpleNamespace(**names, **ids, sep_token=None, sep_id=None, lang_tags=[])
    symbols = [f"s{number}" for number in range(size.vocabulary - len(names))]
    vocabulary = Vocabulary(symbols, special)
    shape = {
        "hidden_size": size.gru,
        "embeddings": {"embedding_dim": size.hidden},
        "type": "recurrent",
    }
    decoder = {**shape, "attention": "bahdanau", "input_feeding": True, "init_hidden": "bridge"}
    model = build_model({"encoder": shape, "decoder": decoder}, vocabulary, vocabulary).eval()

    def run(batch: Batch) -> int:
        source, mask = batch.source[:ROWS], batch.source_mask[:ROWS].unsqueeze(1)
        lengths = batch.source_mask[:ROWS].sum(1)
        output, hidden, _, _ = model(
            return_type="encode", src=source, src_length=lengths, src_mask=mask
        )
        options = {
            "model": model,
            "src_mask": mask,
            "max_output_length": LENGTH,
            "min_output_length": LENGTH,
            "encoder_output": output,
            "encoder_hidden": hidden,
        }
        if width == 1:
            tokens, _, _ = greedy(**options)
        else:
            tokens, _, _ = beam_search(**options, beam_size=width, alpha=1.0)
        return int(tokens.numel())

    return run


def fairseq_run(size: Size, width: int) -> Callable[[Batch], int]:
    """fairseq's search over its own convolutional model."""
    from fairseq.data import Dictionary
    from fairseq.models.fconv import FConvDecoder, FConvEncoder, FConvModel
    from fairseq.sequence_generator import SequenceGenerator

    dictionary = Dictionary()
    for number in range(size.vocabulary - len(dictionary)):
        dictionary.add_symbol(f"s{number}")
    shape: dict[str, Any] = {
        "embed_dim": size.hidden,
        "convolutions": ((size.hidden, 3),) * size.layers,
    }
    encoder = FConvEncoder(dictionary, **shape)
    decoder = FConvDecoder(dictionary, out_embed_dim=size.hidden, **shape)
    model = FConvModel(encoder, decoder).eval()
    generator = SequenceGenerator(
        [model], dictionary, beam_size=width, max_len_b=LENGTH - 1, min_len=LENGTH - 1
    )  # the last step gives eos

    def run(batch: Batch) -> int:
        source, mask = batch.source[:ROWS], batch.source_mask[:ROWS]
        inputs = {
            "src_tokens": source.masked_fill(~mask, dictionary.pad()),
            "src_lengths": mask.sum(1),
        }
        found = generator.generate([model], {"net_input": inputs})
        return sum(len(hypotheses[0]["tokens"]) for hypotheses in found)

    return run


Peer = Callable[[Size, int, str], Callable[[Batch], int]]

GENERATE: dict[str, Peer] = {"Hugging Face generate": generate_run}
"""The only peer on a GPU and under autocast."""
PEERS: dict[str, dict[str, Peer]] = {
    "transformer": {
        **GENERATE,
        "ONNX fp32": lambda size, width, device: exported_run(size, width, "onnx", "float32"),
        "ONNX int8": lambda size, width, device: exported_run(size, width, "onnx", "int8"),
        "CTranslate2 fp32": lambda size, width, device: ctranslate2_run(size, width, "float32"),
        "CTranslate2 int8": lambda size, width, device: ctranslate2_run(size, width, "int8"),
    },
    "gru": {"JoeyNMT": lambda size, width, device: joeynmt_run(size, width)},
    "cnn": {"fairseq": lambda size, width, device: fairseq_run(size, width)},
}
MODELS: dict[str, Callable[[Size], Seq2Seq]] = {
    "transformer": transformer,
    "gru": lambda size: gru(size, output_size=size.gru, tie_embeddings="none"),
    "cnn": cnn,
}


def compare(
    model: str,
    width: int,
    *,
    size: str,
    device: str,
    precision: str,
    rounds: int,
    count: int,
    peers: Mapping[str, Peer],
) -> dict[str, Timed]:
    """Time Tandem and its peers in turns; rates are sentences a second.

    :param precision: fp32, or bf16 for autocast.
    :param count: batches a round.
    :param peers: of ``PEERS``, or ``GENERATE``.
    """
    work, sizes = sources(size, count, device), SIZES[size]

    def maker(make: Callable[[], Callable[[Batch], int]]) -> Callable[[], Callable[[Batch], None]]:
        def checked() -> Callable[[Batch], None]:
            torch.manual_seed(0)
            run = make()

            def call(batch: Batch) -> None:
                with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
                    symbols = run(batch)
                assert symbols == ROWS * LENGTH, symbols

            return call

        return checked

    systems = {
        "Tandem": maker(lambda: tandem_run(MODELS[model](sizes).to(device).eval(), width)),
    }
    systems |= {name: maker(partial(peer, sizes, width, device)) for name, peer in peers.items()}
    with torch.inference_mode():
        return in_turns(
            systems,
            work,
            ROWS * len(work),
            rounds=rounds,
            device=device,
            one_at_a_time=device == "cpu",
        )


def main() -> None:
    """Time all in turns for each width."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", type=int, default=3, help="batches a round")
    parser.add_argument("--model", choices=PEERS, default="transformer")
    parser.add_argument("--alone", action="store_true", help="time Tandem only")
    options = parser.parse_args()
    plain = options.device == "cpu" and options.precision == "fp32"
    peers = PEERS[options.model] if plain else GENERATE
    keep_freed_memory()  # as `tandem generate` does
    for width in (1, 5):
        timed = compare(
            options.model,
            width,
            size=options.size,
            device=options.device,
            precision=options.precision,
            rounds=options.rounds,
            count=options.batches,
            peers={} if options.alone else peers,
        )
        for name, one in timed.items():
            print(
                f"width {width}, {name}: median {one.rate:.1f} sentences/s (min "
                f"{min(one.rates):.1f}, max {max(one.rates):.1f}), Tandem / it "
                f"{timed['Tandem'].rate / one.rate:.2f}"
            )


if __name__ == "__main__":
    main()
