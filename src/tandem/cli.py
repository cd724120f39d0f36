"""The console script ``tandem``."""

import sys


def main() -> None:
    """Call the command that the first argument names."""
    from tandem.train import main as m

    m(sys.argv[2:])
