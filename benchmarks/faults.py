"""What hostile days do: processes are killed, disks are filled, bundles are made to harm.

    python benchmarks/faults.py kills --every 1
    python benchmarks/faults.py disks --count 30
    python benchmarks/faults.py bundles --kinds weights tokenizers

Each kind of fault has a module of its own and prints a table; ``--help`` behind its name says what
it takes. docs/guides/reliability.md has the tables of long runs.
"""

import sys

import bundle_faults
import full_disks
import kills

FAULTS = {"kills": kills.main, "disks": full_disks.main, "bundles": bundle_faults.main}


def main() -> None:
    """Call one of them with what stands behind its name."""
    if len(sys.argv) < 2 or sys.argv[1] not in FAULTS:
        sys.exit(f"usage: python benchmarks/faults.py {{{','.join(FAULTS)}}} ...")
    FAULTS[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    main()
