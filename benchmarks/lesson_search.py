"""Figures of ``docs/learn`` about single outputs: search, CTC and copying."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from lesson_style import BLUE, GREEN, GREY, ORANGE, TEXT, card, heat

from tandem.inference import Bundle, load_bundle
from tandem.inference.forced_decoding import ForcedBatch, forced_decoding
from tandem.inference.inspection import Inspection
from tandem.inference.inspection.tree import Node
from tandem.models.ctc import BLANK
from tandem.search import BeamSearch, GreedySearch, Search

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CTC_WORDS = ("bateaux", "champagne")
NAMES = "please tell Muruta that Gofole is waiting in Pinido"
BEAM = BeamSearch(width=3, length_penalty="none", alpha=1.0, stop="pool")
FATES = {"best": GREEN, "finished": BLUE, "cut off": GREY, "died": GREY}


def forced(bundle: Bundle, sources: list[str], targets: list[str]) -> ForcedBatch:
    """What the model says of these targets, in one batch."""
    column = bundle.processors.source.read(list(sources))
    ids = bundle.processors.target.encode_batch(targets)
    (batch,) = forced_decoding(bundle.model, bundle.processors, column, ids, max_tokens=100_000)
    return batch


@torch.inference_mode()
def forced_outputs(bundle: Bundle, sources: list[str], targets: list[str]) -> list[str]:
    """The most probable symbol at each position of the right target."""
    batch = forced(bundle, sources, targets)
    best = bundle.model.scores(batch.forced.features, batch.forced.copied).argmax(-1)
    split = best.split(batch.batch.target_mask.sum(1).tolist())
    outputs = dict(zip(batch.rows, split, strict=True))
    return [bundle.processors.target.decode(outputs[row].tolist()) for row in range(len(sources))]


def searching(bundle: Bundle, search: Search) -> Bundle:
    """The same model with another search."""
    return replace(bundle, decoding=replace(bundle.decoding, search=search))


def surprising(bundle: Bundle, folder: Path) -> str:
    """The shortest test source that a beam gets right and greedy search does not."""
    lines = (folder / "test.jsonl").read_text(encoding="utf-8").splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: len(row["source"]))
    sources = [row["source"] for row in rows]
    outputs = (searching(bundle, search).generate(sources) for search in (GreedySearch(), BEAM))
    return next(
        str(row["source"])
        for row, greedy, beam in zip(rows, *outputs, strict=True)
        if beam in row["references"] and greedy not in row["references"]
    )


def search_tree(folder: Path) -> "Figure":
    """The tree of a beam of three for a word that greedy search gets wrong."""
    bundle = load_bundle(folder / "spelling")
    word = surprising(bundle, folder / "spelling")
    seen = searching(bundle, BEAM).inspect(word)
    greedy = searching(bundle, GreedySearch()).inspect(word).outputs[0]
    for output in [greedy, *seen.outputs]:
        score = output.hypothesis.score
        print(f"{word}: {' '.join(output.tokens)}  log p {score:.2f}, p {np.exp(score):.3f}")
    figure = card(9.0, 4.4)
    axes = figure.add_subplot()
    draw_tree(axes, seen, greedy.hypothesis.tokens)
    axes.set_title(f"“{word}”, a beam of 3: probability of each prefix", fontsize=10, color=TEXT)
    return figure


def draw_tree(axes: "Axes", seen: Inspection, greedy: list[int]) -> None:
    """Prefixes from left to right; leaves share the height evenly."""
    children: dict[int, list[Node]] = {node.id: [] for node in seen.tree}
    for node in seen.tree[1:]:
        children[node.parent or 0].append(node)
    heights: dict[int, float] = {}

    def settle(node: Node) -> float:
        below = sorted(children[node.id], key=lambda child: -child.log_prob)
        if below:
            settled = [settle(child) for child in below]
            heights[node.id] = sum(settled) / len(settled)
        else:
            heights[node.id] = -float(sum(not children[one] for one in heights))
        return heights[node.id]

    settle(seen.tree[0])
    by_id = {node.id: node for node in seen.tree}
    prefixes: dict[int, list[int]] = {0: []}
    for node in seen.tree[1:]:
        parent = node.parent or 0
        prefixes[node.id] = [*prefixes[parent], node.token]
        is_greedy = greedy[: node.depth] == prefixes[node.id]
        axes.plot(
            [by_id[parent].depth, node.depth], [heights[parent], heights[node.id]],
            color=ORANGE if is_greedy else FATES[node.fate], zorder=1,
            linewidth=2.4 if node.fate == "best" or is_greedy else 1,
            linestyle=":" if node.fate == "died" else "-",
        )  # fmt: skip
    for node in seen.tree:
        symbol = seen.vocabulary[node.token]
        axes.text(
            node.depth, heights[node.id], f"{symbol}\n{np.exp(node.score):.2f}", ha="center",
            va="center", fontsize=8, color=TEXT,
            bbox={"boxstyle": "round,pad=0.25", "fc": "#ffffff", "ec": FATES[node.fate]},
        )  # fmt: skip
    axes.axis("off")


def ctc(folder: Path) -> "Figure":
    """What CTC says at each letter of a word."""
    bundle = load_bundle(folder / "spelling")
    figure = card(8.6, 3.6)
    for place, word in enumerate(CTC_WORDS):
        axes = figure.add_subplot(1, len(CTC_WORDS), place + 1)
        (output,) = bundle.generate([word])
        batch = forced(bundle, [word], [output])
        with torch.inference_mode():
            said = bundle.model.ctc_log_probs(batch.memory)[0].exp().numpy()  # (S, V)
        symbols = bundle.processors.target.symbols
        shown = [*dict.fromkeys(id_ for id_ in said.argmax(1).tolist() if id_ != BLANK), BLANK]
        names = ["blank" if id_ == BLANK else symbols[id_] for id_ in shown]
        labels = bundle.processors.source.labels(batch.batch.source[0].numpy()) or []
        heat(axes, said[:, shown].T, labels, names)
        read = " ".join("-" if id_ == BLANK else symbols[id_] for id_ in said.argmax(1).tolist())
        axes.set_title(f"{word}: {output}", fontsize=10, color=TEXT)
        print(word, "->", read, "| decoder:", output)
    return figure


def copying(folder: Path) -> "Figure":
    """Where a pointer-generator copies from, and how probable it is to generate."""
    bundle = load_bundle(folder / "copying_true")
    (output,) = bundle.generate([NAMES])
    batch = forced(bundle, [NAMES], [output])
    copied = batch.forced.copied
    assert copied is not None
    source = bundle.processors.source.labels(batch.batch.source[0].numpy()) or []
    target = bundle.processors.target.tokens(batch.batch.target_out[0].tolist())
    generate = torch.sigmoid(copied.gate).numpy()
    print(NAMES, "->", output)
    figure = card(9.0, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=[1, 5], sharey=True)
    left.barh(range(len(target)), generate, color=BLUE, height=0.7)
    left.set_xlim(0, 1)
    left.set_title("p(generate)", fontsize=9.5, color=TEXT)
    heat(right, (1 - generate)[:, None] * copied.weights.numpy(), source, target)
    right.set_xticks(range(len(source)), source, rotation=60, ha="left", fontsize=8, color=TEXT)
    right.set_xlabel("p(copy) of each source symbol")
    return figure
