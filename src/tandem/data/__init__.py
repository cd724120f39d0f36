"""From files and generators to batches of ids."""
