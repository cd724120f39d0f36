"""Using a trained model; nothing here needs what trains it."""

from tandem.inference.bundle import Bundle, StoredBundle, load_bundle, read_bundle, save_bundle
from tandem.inference.ensemble import load_bundles

__all__ = ["Bundle", "StoredBundle", "load_bundle", "load_bundles", "read_bundle", "save_bundle"]
