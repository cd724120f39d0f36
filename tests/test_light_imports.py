"""Who imports little: nothing is loaded that only training, reports or one option needs."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

TRAINING = ("datasets", "pandas", "pyarrow", "lightning", "matplotlib")
ONE_OPTION = ("PIL", "soundfile", "kaldi_native_fbank", "espeakng_loader")
PRETRAINED = ("transformers", "peft", "accelerate", "jinja2")
"""Which torchmetrics, and so Lightning, loads where they are installed; the last one is theirs."""
METRICS = ("nltk", "jiwer", "sacrebleu", "rouge_score")
ONE_COMMAND = ("wandb", "optuna", "plotly")
COMPILER = ("sympy",)
"""Which ``torch.compile`` and sharding need."""
ALL_WORK = (*TRAINING, *ONE_OPTION, *METRICS, *ONE_COMMAND)
USE = (*ALL_WORK, *COMPILER, *PRETRAINED)
LIGHT = (
    {
        "tandem.metrics": (*ALL_WORK, "torch"),
        "tandem.commands.cli": (*ALL_WORK, "torch"),
        "tandem.reports": (*ALL_WORK, "torch"),
        "tandem.commands.report": (*TRAINING, *ONE_OPTION, *METRICS, "wandb", "optuna"),
    },
    {
        "tandem.inference": USE,
        "tandem.commands.generate": USE,
        "tandem.commands.score": USE,
        "tandem.commands.serve": (*USE, "fastapi", "uvicorn", "pydantic"),
        "tandem.loggers": (*METRICS, *ONE_COMMAND, "soundfile", "datasets"),
        "tandem.callbacks": (*METRICS, *ONE_COMMAND, "soundfile", "espeakng_loader"),
        "tandem.commands.train": (*METRICS, *ONE_COMMAND, "soundfile", "espeakng_loader"),
    },
    {"tandem.serving.app": (*USE, "hydra")},
)
"""What must not be loaded with a module, nor with those before it, which one process imports."""


def run(code: str) -> list[set[str]]:
    """The packages that each line of a program of Python's own names behind ``modules:``."""
    command = [sys.executable, "-c", f"import sys\n{code}"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    names = [line.split()[1:] for line in lines if line.startswith("modules: ")]
    return [{name.partition(".")[0] for name in line} for line in names]


@pytest.mark.parametrize("modules", LIGHT, ids=lambda modules: next(iter(modules)))
def test_a_module_loads_nothing_that_it_may_not_need(modules: dict[str, tuple[str, ...]]) -> None:
    loaded = run("\n".join(f"import {name}\nprint('modules:', *sys.modules)" for name in modules))
    for (module, heavy), found in zip(modules.items(), loaded, strict=True):
        assert "tandem" in found
        assert found & {*heavy} == set(), module


def test_the_lists_hold_names_of_modules() -> None:
    for name in {name for modules in LIGHT for names in modules.values() for name in names}:
        assert find_spec(name), name


def test_help_and_mistakes_are_answered_before_work_is_imported() -> None:
    arguments = (
        ("train", "--help"),
        ("train", "--help", "encoder=gru"),
        ("train", "encoder=gruu"),
        ("train", "encoder.num_layer=2"),
        ("train", "hidden_size=abc"),
        ("train", "scan"),
        ("generate", "run=a", "search.width=5"),
        ("sweep", "nothing"),
    )
    loaded = run(
        "from tandem.commands.cli import main\n"
        f"for words in {arguments!r}:\n"
        "    sys.argv = ['tandem', *words]\n"
        "    try:\n        main()\n    except SystemExit:\n        pass\n"
        "    print('\\nmodules:', *sys.modules)"
    )
    for words, found in zip(arguments, loaded, strict=True):
        assert "tandem" in found
        assert found & {*ALL_WORK, "torch", "numpy"} == set(), words
