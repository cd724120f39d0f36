"""Tandem: compose any encoder with any decoder through any attention."""

__version__ = "0.1.0"
