"""Sweeps: studies in the format of W&B's sweeps, and what runs and remembers their trials."""
