"""From a command line to objects: the only rooms that know Hydra and OmegaConf."""
