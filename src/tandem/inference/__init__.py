"""Using a trained model; nothing here needs what trains it."""

from tandem.inference.bundle import Bundle, StoredBundle, load_bundle, read_bundle, save_bundle
from tandem.inference.ensemble import load_bundles
from tandem.inference.inspection import Inspection
from tandem.inference.scoring import ScoredPair
from tandem.inference.source_attention import SourceAttention

__all__ = [
    "Bundle",
    "Inspection",
    "ScoredPair",
    "SourceAttention",
    "StoredBundle",
    "load_bundle",
    "load_bundles",
    "read_bundle",
    "save_bundle",
]
