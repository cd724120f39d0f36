"""Using a trained model; nothing here needs what trains it."""

from tandem.inference.bundle import Bundle, load_bundle, save_bundle
from tandem.inference.ensemble import load_bundles

__all__ = ["Bundle", "load_bundle", "load_bundles", "save_bundle"]
