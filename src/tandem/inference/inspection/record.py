"""An inspection as plain data for a page: bounded in size, finite, and short to write."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tandem.core.types import SPECIAL_IDS
from tandem.inference.inspection.inspection import Inspection
from tandem.inference.inspection.pictures import image_url, spectrogram_url
from tandem.inference.inspection.tree import Node

UNITS = 64
"""Columns of a row of states."""
ROWS = 256
"""Rows of states, and positions of one step's attention."""
PAIRS = 64
"""Positions of self-attention on either side."""
STEPS = 512
"""Symbols of the output that are told step by step."""
NODES = 2000
"""Prefixes of the tree."""
LIKELIEST = 5
DIGITS = 4
MOST_PLACES = 300
"""Behind the point; what is smaller is 0."""

Numbers = npt.NDArray[Any]


def record(seen: Inspection) -> dict[str, Any]:
    """See :meth:`Inspection.to_json`.

    Neighbouring units and positions are averaged where there are more than the limits above;
    attention is summed over neighbouring positions that are looked at, so that a row still sums
    to 1. ``units`` and ``positions`` say how many there are, and ``together`` how many positions
    stand for one.
    """
    arrays = seen.arrays
    return {
        "model": {
            "media": seen.source.media,
            **seen.parts,
            "parameters": seen.parameters,
            "lacks": seen.lacks,
        },
        "source": _source(seen),
        "embeddings": _states(arrays["embeddings"]) if "embeddings" in arrays else None,
        "encoder": _encoder(seen),
        "memory": {
            "summary": _units(arrays["memory/summary"][None])[0],
            "units": arrays["memory/summary"].shape[0],
            "all_the_decoder_gets": seen.summary_alone,
        },
        "decoder": {"steps": _steps(seen), "together": _together(len(arrays["memory/states"]))},
        "beam": _beam(seen),
        "output": _output(seen),
    }


def _source(seen: Inspection) -> dict[str, Any]:
    source, read = seen.source, seen.arrays["source"]
    draw = {"image": image_url, "audio": spectrogram_url}.get(source.media)
    preview = source.preview
    return {
        "media": source.media,
        "text": source.given if source.media == "text" else None,
        "tokens": source.tokens,
        "ids": None if source.tokens is None else read.tolist(),
        "picture": draw(preview.picture) if draw and preview else None,
        "seconds": rounded(preview.seconds) if preview else 0.0,
        "grid": None if source.grid is None else list(source.grid),
        "positions": len(seen.arrays["memory/states"]),
    }


def _encoder(seen: Inspection) -> dict[str, Any]:
    layers = [name for name in seen.arrays if name.startswith("encoder/") and "states" in name]
    weights = [name for name in seen.arrays if name.startswith("encoder/") and "self_" in name]
    positions = len(seen.arrays["memory/states"])
    return {
        "layers": [
            {"name": name.split("/")[1].replace("_", " "), **_states(seen.arrays[name])}
            for name in layers
        ],
        "self_attention": [_pairs(seen.arrays[name]) for name in weights] or None,
        "self_attention_together": -(-positions // PAIRS),
    }


def _steps(seen: Inspection) -> list[dict[str, Any]]:
    """What the decoder did for each symbol of the best output, as it alone finds it."""
    log_probs, features, attention = (
        seen.arrays.get(f"decoder/{name}") for name in ("log_probs", "features", "attention")
    )
    assert log_probs is not None
    ids = seen.outputs[0].hypothesis.tokens[:STEPS]
    units = None if features is None else _units(features[:STEPS])
    looked = None if attention is None else rounded(_summed(attention[:STEPS], ROWS, axis=1))
    return [
        {
            "token": seen.vocabulary[id_],
            "id": id_,
            "log_prob": rounded(log_probs[step, id_]),
            "likeliest": _likeliest(seen, log_probs[step]),
            "attention": None if looked is None else looked[step],
            "features": None if units is None else units[step],
            "entropy": rounded(_entropy(log_probs[step])),
        }
        for step, id_ in enumerate(ids)
    ]


def _likeliest(seen: Inspection, log_probs: Numbers) -> list[dict[str, Any]]:
    """The best next symbols that an output can hold."""
    best = np.argsort(-log_probs, kind="stable")[:LIKELIEST]
    return [
        {
            "token": seen.vocabulary[id_],
            "id": int(id_),
            "probability": rounded(np.exp(log_probs[id_])),
        }
        for id_ in best
        if log_probs[id_] > -np.inf
    ]


def _entropy(log_probs: Numbers) -> float:
    """In nats."""
    possible = log_probs[log_probs > -np.inf]
    return float(-(np.exp(possible) * possible).sum())


def _beam(seen: Inspection) -> dict[str, Any]:
    """The tree, without what fared worst and came last if there is too much of it."""
    by_worth = sorted(seen.tree, key=lambda node: (-node.worth, node.depth))[:NODES]
    return {
        "nodes": [_node(seen, node) for node in sorted(by_worth, key=lambda node: node.id)],
        "omitted": len(seen.tree) - len(by_worth),
        "width": seen.width,
    }


def _node(seen: Inspection, node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "parent": node.parent,
        "token": seen.vocabulary[node.token],
        "token_id": node.token,
        "log_prob": rounded(node.log_prob),
        "score": rounded(node.score),
        "depth": node.depth,
        "fate": node.fate,
    }


def _output(seen: Inspection) -> dict[str, Any]:
    best = seen.outputs[0]
    ids = best.hypothesis.tokens
    return {
        "text": best.text,
        "tokens": best.tokens,
        "ids": ids,
        "score": rounded(best.hypothesis.score),
        "ended": ids[-1] == SPECIAL_IDS.eos,
        "prefix": seen.prefix,
        "n_best": [
            {"text": one.text, "score": rounded(one.hypothesis.score)} for one in seen.outputs
        ],
    }


def _states(states: Numbers) -> dict[str, Any]:
    """Rows of states (S, M)."""
    return {
        "rows": _units(_averaged(states, ROWS, axis=0)),
        "units": states.shape[1],
        "positions": len(states),
        "together": _together(len(states)),
    }


def _units(rows: Numbers) -> Any:
    return rounded(_averaged(rows, UNITS, axis=1))


def _pairs(weights: Numbers) -> Any:
    """Weights (heads, S, S)."""
    return rounded(_averaged(_summed(weights, PAIRS, axis=2), PAIRS, axis=1))


def _together(positions: int) -> int:
    return -(-positions // ROWS)


def _summed(values: Numbers, most: int, *, axis: int) -> Numbers:
    """The sums of so many neighbours that at most ``most`` are left."""
    every = -(-values.shape[axis] // most)
    if every <= 1:
        return values
    return np.add.reduceat(values, np.arange(0, values.shape[axis], every), axis=axis)


def _averaged(values: Numbers, most: int, *, axis: int) -> Numbers:
    """The means of as many neighbours."""
    return _summed(values, most, axis=axis) / _summed(np.ones_like(values), most, axis=axis)


def rounded(values: Any) -> Any:
    """Numbers with four significant digits, as lists; what is not finite becomes None."""
    wide = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(wide)
    real = np.where(finite & (wide != 0), wide, 1.0)
    places = np.clip(DIGITS - 1 - np.floor(np.log10(np.abs(real))), -MOST_PLACES, MOST_PLACES)
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)  # exact more often
    short = np.where(wide == 0, 0.0, np.round(real * up / down) / up * down)
    if finite.all():
        return short.tolist()
    with_gaps = short.astype(object)
    with_gaps[~finite] = None
    return with_gaps.tolist()
