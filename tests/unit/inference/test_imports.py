"""Using a model imports little: nothing that only training, reports or one option needs."""

import subprocess
import sys

import pytest

CODE = """
import sys
from tandem.inference import load_bundle
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
TRAINING = ("datasets", "pandas", "pyarrow", "lightning", "matplotlib")
ONE_OPTION = ("PIL", "soundfile", "kaldi_native_fbank", "espeakng_loader")
METRICS = ("nltk", "jiwer", "sacrebleu", "rouge_score")


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Everything that is imported with ``load_bundle``."""
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_list_is_right(imported: set[str]) -> None:
    assert {"tandem", "torch", "tokenizers"} <= imported


@pytest.mark.parametrize("name", [*TRAINING, *ONE_OPTION, *METRICS])
def test_load_bundle_does_without(imported: set[str], name: str) -> None:
    assert name not in imported
