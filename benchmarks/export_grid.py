"""Does every combination of frontend, encoder, decoder and attention say the same as ONNX?

    python benchmarks/export_grid.py
    python benchmarks/export_grid.py --each --sample 30

The combinations are those of ``grid.py``, as small models with random weights. Each is exported and
then searched for outputs of 100 random sources of many lengths, in padded batches, greedily and
with a beam of five: by PyTorch and by ONNX Runtime, under the same search. Weights follow from the
names of the parts, so graphs of an encoder, and of a decoder with its attention, are the same in
all combinations that have it; they are written once and used again, unless ``--each`` is given.

The record of what is done is kept in a file, so that a stopped run goes on.
"""

import argparse
import json
import random
import statistics
import sys
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from grid import GROUPS, SIZES, Names, combinations, combine, compose_options, make_model
from reversal import BANDS, SIDE
from torch import Tensor, nn

from tandem.config.build import build_features
from tandem.core.masks import lengths_to_mask
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.export.graphs import take_apart
from tandem.export.write import WRITERS
from tandem.inference.decoding import Decoding, generate
from tandem.inference.exported.description import ENCODER, Description
from tandem.inference.exported.model import ExportedModel
from tandem.models import Seq2Seq
from tandem.models.sequence_model import SequenceModel
from tandem.search import BeamSearch, GreedySearch
from tandem.search.rules import MinLength

OVERRIDES = ("hidden_size=32", "dropout=0")
MEDIA_OVERRIDES = {
    "text": (),
    "image": (
        "features=pixels",
        f"features.image_height={4 * SIDE}",
        f"features.image_width={2 * SIDE}",
        "features.channels=1",
    ),
    "audio": ("features=log_mel", f"features.num_mels={BANDS}"),
}
LONGEST = {"text": 24, "image": 4 * SIDE, "audio": 60}
VOCABULARY, SOURCES, BATCH, MAX_LENGTH, SPREAD = 32, 100, 20, 24, 0.5
ENDS = ("inputs", "outputs")
RULES = (MinLength(least=8),)
SEARCHES = {
    "greedy": Decoding(GreedySearch(), rules=RULES),
    "beam": Decoding(
        BeamSearch(width=5, length_penalty="none", alpha=0.0, stop="pool"), rules=RULES
    ),
}


def fill(model: Seq2Seq, names: Names) -> None:
    """Draw weights that follow from the names of the parts."""
    frontend, encoder, decoder, attention = names
    for part, key in (
        (model.frontend, f"{frontend}"),
        (model.encoder, f"{frontend} {encoder}"),
        (model.decoder, f"{decoder} {attention}"),
        (model.target_table, "target"),
        (model.output, "output"),
    ):
        generator = torch.Generator().manual_seed(zlib.crc32(key.encode()))
        for module in part.modules():
            scales = isinstance(module, nn.LayerNorm)
            for name, parameter in module.named_parameters(recurse=False):
                spread = SPREAD if parameter.dim() > 1 else 0.1
                mean = 1.0 if scales and name == "weight" else 0.0
                nn.init.normal_(parameter, mean, spread, generator=generator)


def batches(media: str, source_size: int) -> list[tuple[Tensor, Tensor]]:
    """Sources with their masks."""
    generator, made = torch.Generator().manual_seed(0), []
    for _ in range(SOURCES // BATCH):
        lengths = torch.randint(1, LONGEST[media] + 1, (BATCH,), generator=generator)
        shape = (BATCH, int(lengths.max()))
        if media == "text":
            source = torch.randint(4, source_size, shape, generator=generator)
        elif media == "image":
            source = torch.randint(256, (*shape, source_size), generator=generator).float()
        else:
            source = torch.randn(*shape, source_size, generator=generator)
        made.append((source, lengths_to_mask(lengths, shape[1])))
    return made


def export(
    model: Seq2Seq, names: Names, source_size: int, folder: Path, each: bool
) -> dict[str, Any]:
    """Write the graphs that are not there yet; return what is to be known of them."""
    parts = take_apart(model, source_size=source_size)
    write, suffix = WRITERS["onnx"]
    files = {}
    for graph in parts.graphs:
        owners = names[:2] if graph.name == ENCODER else names[2:]
        files[graph.name] = f"{graph.name}-{'-'.join(owners)}{suffix}"
        path = folder / files[graph.name]
        if each or not path.exists():
            write(graph, path)
    return {"format": "onnx", **parts.description(files)}


def opened(section: dict[str, Any], folder: Path) -> ExportedModel:
    """The model of some graphs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1

    def open_graphs(device: torch.device) -> Mapping[str, Any]:
        def graph(name: str) -> Any:
            session = onnxruntime.InferenceSession(folder / section["graphs"][name], options)
            takes, gives = ([one["name"] for one in section[key][name]] for key in ENDS)

            def call(given: Mapping[str, Tensor]) -> dict[str, Tensor]:
                arrays = {one: given[one].contiguous().numpy() for one in takes}
                results = map(torch.from_numpy, session.run(None, arrays))
                return dict(zip(gives, results, strict=True))

            return call

        return {name: graph(name) for name in section["graphs"]}

    return ExportedModel(
        Description.from_config(section),
        open_graphs,
        device_types=("cpu",),
        vocabulary_size=VOCABULARY,
    )


@torch.inference_mode()
def outputs(
    model: SequenceModel, decoding: Decoding, sources: list[tuple[Tensor, Tensor]]
) -> list[list[Hypothesis]]:
    """What a search finds for each source."""
    found: list[list[Hypothesis]] = []
    for source, mask in sources:
        found += generate(model, decoding, model.encode(source, mask), MAX_LENGTH)
    return found


def one_of(sources: list[tuple[Tensor, Tensor]], place: int) -> tuple[Tensor, Tensor]:
    """A single source and its mask, in the padding of its batch."""
    source, mask = sources[place // BATCH]
    row = slice(place % BATCH, place % BATCH + 1)
    return source[row], mask[row]


@torch.inference_mode()
def rescored(model: Seq2Seq, source: Tensor, mask: Tensor, output: Hypothesis) -> float:
    """What PyTorch says of an output that ONNX Runtime found: its log-probability."""
    target_in = torch.tensor([[SPECIAL_IDS.bos, *output.tokens[:-1]]])
    log_probs = model(source, mask, target_in).log_softmax(-1)[0]
    return float(log_probs.gather(1, torch.tensor(output.tokens).unsqueeze(1)).sum())


def compare(names: Names, composed: Any, folder: Path, each: bool) -> dict[str, Any]:
    """Export one combination and compare its outputs: the figures of a row."""
    cfg = combine(composed, dict(zip(GROUPS, names, strict=True)), SIZES)
    model = make_model(cfg, VOCABULARY).eval()
    fill(model, names)
    features = build_features(cfg)
    source_size = features.width if features else VOCABULARY
    begin = time.process_time()
    try:
        section = export(model, names, source_size, folder, each)
    except Exception as error:  # the reason is a figure of the table
        return {"reason": f"{type(error).__name__}: {error}"[:500]}
    row: dict[str, Any] = {"seconds": time.process_time() - begin}
    sources, exported = batches(model.frontend.media, source_size), opened(section, folder)
    for name, decoding in SEARCHES.items():
        pairs = list(
            zip(
                outputs(model, decoding, sources),
                outputs(exported, decoding, sources),
                strict=True,
            )
        )
        best = [ours[0].tokens for ours, _ in pairs]
        row[name] = sum(ours[0].tokens == theirs[0].tokens for ours, theirs in pairs)
        row[f"{name}_all"] = sum(
            [one.tokens for one in ours] == [one.tokens for one in theirs] for ours, theirs in pairs
        )
        row[f"{name}_rescored"] = max(
            (
                abs(theirs[0].score - rescored(model, *one_of(sources, place), theirs[0]))
                for place, (ours, theirs) in enumerate(pairs)
                if ours[0].tokens != theirs[0].tokens
            ),
            default=0.0,
        )
        row[f"{name}_distinct"] = len(set(map(tuple, best)))
        row[f"{name}_length"] = statistics.mean(map(len, best))
    return row


def report(rows: dict[str, dict[str, Any]]) -> int:
    """Print the totals and each combination that is missing; return how many are."""
    exported = {key: row for key, row in rows.items() if "reason" not in row}
    print(f"{len(exported)} of {len(rows)} combinations export")
    for key, row in rows.items():
        if "reason" in row:
            print(f"  {key}: {row['reason']}")
    for name in SEARCHES:
        same = sum(row[name] == SOURCES for row in exported.values())
        ranks = sum(row[f"{name}_all"] == SOURCES for row in exported.values())
        distinct = [row[f"{name}_distinct"] for row in exported.values()]
        length = statistics.median(row[f"{name}_length"] for row in exported.values())
        print(
            f"{name}: {same} give PyTorch's tokens for all {SOURCES} sources, {ranks} also for all "
            f"ranks; {statistics.median(distinct):.0f} distinct outputs in the median, "
            f"{min(distinct)} at least, of {length:.1f} symbols in the median"
        )
        for key, row in exported.items():
            if row[name] != SOURCES:
                print(
                    f"  {key}: {SOURCES - row[name]} sources differ, whose scores PyTorch confirms "
                    f"to {row[f'{name}_rescored']:.0e}"
                )
    return len(rows) - sum(
        all(row[name] == SOURCES for name in SEARCHES) for row in exported.values()
    )


def main() -> int:
    """Go through the combinations; return 1 if any is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="so many instead of all, drawn at random")
    parser.add_argument("--each", action="store_true", help="export each combination anew")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/export_grid"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    chosen = combinations()
    if arguments.sample is not None:
        chosen = random.Random(0).sample(chosen, arguments.sample)
    folder = arguments.folder / ("each" if arguments.each else "shared")
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "rows.jsonl"
    rows: dict[str, dict[str, Any]] = {}
    if record.exists():
        rows = dict(map(json.loads, record.read_text("utf-8").splitlines()))
    composed = compose_options(OVERRIDES, MEDIA_OVERRIDES)
    for names in chosen:
        key = "-".join(names)
        if key not in rows:
            rows[key] = compare(names, composed, folder, arguments.each)
            with record.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, rows[key]]) + "\n")
            print(f"{len(rows):3} {key} {rows[key]}", flush=True)
    return 1 if report(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
