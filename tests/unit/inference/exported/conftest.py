"""Small models and what ``tandem export`` makes of them, made once."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tandem.export.base import find_exporter
from tandem.export.folder import write_export
from tandem.inference import load_bundle

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

Exported = Callable[..., SimpleNamespace]

SMALL = {
    "transformer": (
        "tokenizer=bpe",
        "tokenizer.vocabulary_size=296",
        "tokenizer.shared=true",
        "encoder=transformer",
        "encoder.num_layers=1",
        "decoder=transformer",
        "decoder.num_layers=1",
        "search=beam",
        "scorer=coverage",
        "rule=min_length",
        "objective.ctc_weight=0.3",
    )
}
"""Overrides of a model beside those of ``benchmarks/hostile_bundles.py``."""


@pytest.fixture(scope="session")
def exported(own_key: None, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A small bundle of ``benchmarks/hostile_bundles.py``, a source of it, and its export."""
    sys.path.append(str(Path(__file__).parents[4] / "benchmarks"))
    import hostile_bundles

    root, sources, done = tmp_path_factory.mktemp("exported"), {}, {}

    def export(name: str, *, format: str = "onnx", weights: str = "float32") -> SimpleNamespace:
        run = root / name
        if name not in sources:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(hostile_bundles, "SOUND", hostile_bundles.SOUND | SMALL)
                source = hostile_bundles.write_sound(name, run)
            is_text = source in hostile_bundles.TEXTS
            sources[name] = hostile_bundles.TEXTS if is_text else [str(run / source)]
        key = (name, format, weights)
        if key not in done:
            output = root / "-".join(key)
            exporter = find_exporter(format, weights, run)
            write_export(load_bundle(run), run, output, exporter, weights=weights)
            done[key] = SimpleNamespace(run=run, folder=output, sources=sources[name])
        return done[key]

    return export
