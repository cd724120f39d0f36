"""A trained model as graphs for other runtimes."""
