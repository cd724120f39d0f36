"""The figures of ``docs/learn``, drawn from the models of ``lesson_models.py``.

    python benchmarks/lesson_models.py outputs/lessons
    python benchmarks/lesson_figures.py outputs/lessons
    python benchmarks/lesson_figures.py outputs/lessons attentions lengths

Draws all figures, or those that are named, into ``docs/images/learn``.
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lesson_search
import numpy as np
import torch
from lesson_models import ATTENTIONS, HALF_WIDTH
from lesson_style import BLUE, GREEN, GREY, ORANGE, TEXT, card, heat, save
from numpy.typing import NDArray

from tandem.encoders import CNNEncoder, ConformerEncoder, RecurrentEncoder, TransformerEncoder
from tandem.encoders.base import Encoder
from tandem.inference import load_bundle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Options = dict[str, Any]

SOURCE = "h c a f j b d g"
"""What the nine attentions read."""
TRAINED_LENGTH = 20
LONGEST = 30
EACH = 200
"""Sources of each length."""


def test_score(run: Path) -> float:
    """Exact match on the test split, in percent."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return float(record["metrics"]["test/exact_match"])


def attentions(folder: Path) -> "Figure":
    """Nine maps of one source, each with its model's score on the test split."""
    figure = card(9.0, 9.4)
    for place, name in enumerate(ATTENTIONS):
        axes = figure.add_subplot(3, 3, place + 1)
        run = folder / f"attention_{name}"
        seen = load_bundle(run).inspect(SOURCE)
        tokens, written = (
            [token.strip("<>") for token in side]
            for side in (seen.source.tokens or [], seen.outputs[0].tokens)
        )
        window = f", D = {HALF_WIDTH}" if name.startswith("local") else ""
        axes.set_title(f"{name}{window}\n{test_score(run):.1f} % right", fontsize=10, color=TEXT)
        if "decoder/attention" not in seen.arrays:
            axes.text(0.5, 0.5, "no weights:\none vector at\nevery step", ha="center", va="center",
                      color=GREY, fontsize=11, transform=axes.transAxes)  # fmt: skip
            axes.set_xticks([])
            axes.set_yticks(range(len(written)), written, fontsize=9, color=TEXT)
            axes.set_ylim(len(written) - 0.5, -0.5)
            axes.tick_params(length=0)
            continue
        heat(axes, seen.arrays["decoder/attention"], tokens, written)
    return figure


def own_sources(length: int) -> list[str]:
    """Random letters, as ``dataset=reverse`` has them."""
    drawn = random.Random(length)
    return [" ".join(drawn.choices("abcdefghij", k=length)) for _ in range(EACH)]


def lengths(folder: Path) -> "Figure":
    """Exact match by length of the source, with and without attention."""
    figure = card(7.4, 3.9)
    axes = figure.add_subplot()
    places = range(1, LONGEST + 1)
    for name, label, colour in (
        ("length_additive_64", "additive attention", BLUE),
        ("length_none_64", "no attention", ORANGE),
    ):
        bundle = load_bundle(folder / name)
        right = []
        for length in places:
            sources = own_sources(length)
            outputs = bundle.generate(sources)
            pairs = zip(sources, outputs, strict=True)
            right.append(100 * sum(source[::-1] == output for source, output in pairs) / EACH)
        print(
            name,
            " ".join(f"{length}:{score:.0f}" for length, score in zip(places, right, strict=True)),
        )
        axes.plot(places, right, color=colour, label=label, linewidth=2)
    axes.axvline(TRAINED_LENGTH + 0.5, color=GREY, linewidth=1, linestyle=":")
    axes.text(TRAINED_LENGTH + 0.8, 97, "longer than any\ntraining example", va="top",
              fontsize=9, color=GREY)  # fmt: skip
    axes.set_xlabel("letters of the source")
    axes.set_ylabel("outputs that are right, %")
    axes.legend(frameon=False, fontsize=9, labelcolor=TEXT, loc="lower left")
    return figure


def encoders_see(folder: Path) -> "Figure":
    """How the state in the middle changes with each input, at random weights."""
    size, length = 32, 33
    usual: Options = {"hidden_size": size, "dropout": 0.0}
    recurrent: Options = {**usual, "num_layers": 1, "reverse": False, "output_dropout": 0.0}
    convolution: Options = {"positions": "none", "max_length": length, "input_dropout": 0.0}
    attending: Options = {
        **{"num_heads": 4, "feed_forward_size": 4 * size, "positions": "rotary"},
        **{"max_length": length, "input_dropout": 0.0},
        **{"attention_dropout": 0.0, "activation_dropout": 0.0},
    }
    kinds: dict[str, Callable[[], Encoder]] = {
        "rnn, one direction": lambda: RecurrentEncoder(
            size, cell="rnn", bidirectional=False, **recurrent
        ),
        "lstm, one direction": lambda: RecurrentEncoder(
            size, cell="lstm", bidirectional=False, **recurrent
        ),
        "gru, both directions": lambda: RecurrentEncoder(
            size, cell="gru", bidirectional=True, **recurrent
        ),
        "cnn, 4 layers of width 3": lambda: CNNEncoder(
            size, num_layers=4, kernel_size=3, scale_positions=True, **usual, **convolution
        ),
        "transformer, 1 layer": lambda: TransformerEncoder(
            size, num_layers=1, norm="pre", activation="relu", **usual, **attending
        ),
        "conformer, 1 layer of width 7": lambda: ConformerEncoder(
            size, num_layers=1, kernel_size=7, **usual, **attending
        ),
    }
    figure = card(9.0, 3.9)
    for place, (name, make) in enumerate(kinds.items()):
        axes = figure.add_subplot(2, 3, place + 1)
        seen = np.mean([sensitivity(make, seed, length, size) for seed in range(20)], axis=0)
        axes.bar(np.arange(1, length + 1), seen / seen.max(), width=1.0, color=BLUE)
        axes.set_title(name, fontsize=10, color=TEXT)
        axes.set_yscale("log")
        axes.set_ylim(1e-4, 2)
        axes.set_xticks([1, 9, 17, 25, 33])
    figure.supxlabel("position of the input", fontsize=9, color=TEXT)
    figure.supylabel("effect on state 17 (largest = 1)", fontsize=9, color=TEXT)
    return figure


def sensitivity(
    make: Callable[[], Encoder], seed: int, length: int, size: int
) -> NDArray[np.floating]:
    """Norm of the derivative of the middle state with respect to each input, (S,)."""
    torch.manual_seed(seed)
    encoder = make().eval()
    inputs = torch.randn(1, length, size, requires_grad=True)
    states = encoder(inputs, torch.ones(1, length, dtype=torch.bool)).states
    (slope,) = torch.autograd.grad(states[0, length // 2] @ torch.randn(size), inputs)
    norms: NDArray[np.floating] = slope[0].norm(dim=1).numpy()
    return norms


def exposure(folder: Path) -> "Figure":
    """Right symbols by position: right symbols read, or the model's own."""
    bundle = load_bundle(folder / "length_none_64")
    sources = own_sources(TRAINED_LENGTH)
    targets = [source[::-1] for source in sources]
    right = defaultdict(list)
    for how, outputs in (
        (
            "the right ones (teacher forcing)",
            lesson_search.forced_outputs(bundle, sources, targets),
        ),
        ("its own (greedy search)", bundle.generate(sources)),
    ):
        for output, target in zip(outputs, targets, strict=True):
            right[how].append([*map(str.__eq__, output.split(), target.split())])
    figure = card(7.0, 3.5)
    axes = figure.add_subplot()
    for (how, rows), colour in zip(right.items(), (GREEN, ORANGE), strict=True):
        shares = [
            100 * sum(len(row) > place and row[place] for row in rows) / len(rows)
            for place in range(TRAINED_LENGTH)
        ]
        print(how, " ".join(f"{share:.0f}" for share in shares))
        axes.plot(range(1, TRAINED_LENGTH + 1), shares, color=colour, linewidth=2, label=how)
    axes.set_xlabel("position in the output")
    axes.set_ylabel("symbols that are right, %")
    axes.set_ylim(0, 100)
    axes.set_xticks([1, 5, 10, 15, 20])
    legend = axes.legend(frameon=False, fontsize=9, labelcolor=TEXT, title="the decoder reads")
    legend.get_title().set_color(TEXT)
    return figure


FIGURES: dict[str, Callable[[Path], "Figure"]] = {
    "attentions": attentions,
    "lengths": lengths,
    "encoders_see": encoders_see,
    "exposure": exposure,
    "search_tree": lesson_search.search_tree,
    "ctc": lesson_search.ctc,
    "copying": lesson_search.copying,
}


def main() -> None:
    """Draw what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", choices=[[], *FIGURES], metavar="NAME")
    arguments = parser.parse_args()
    target = Path(__file__).parents[1] / "docs/images/learn"
    for name in arguments.names or FIGURES:
        save(FIGURES[name](arguments.folder), target / f"{name}.png")


if __name__ == "__main__":
    main()
