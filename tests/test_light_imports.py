"""Who imports little: nothing is loaded that only training, reports or one option needs."""

import functools
import subprocess
import sys

import pytest

TRAINING = ("datasets", "pandas", "pyarrow", "lightning", "matplotlib")
ONE_OPTION = ("PIL", "soundfile", "kaldi_native_fbank", "espeakng_loader")
PRETRAINED = ("transformers", "peft", "accelerate", "jinja2")
"""Which torchmetrics, and so Lightning, loads where they are installed; the last one is theirs."""
METRICS = ("nltk", "jiwer", "sacrebleu", "rouge_score")
ONE_COMMAND = ("wandb", "optuna", "plotly")
COMPILER = ("sympy",)
"""Which ``torch.compile`` and sharding need."""
LIGHT = {
    "tandem.inference": (*TRAINING, *ONE_OPTION, *METRICS, *ONE_COMMAND, *COMPILER, *PRETRAINED),
    "tandem.metrics": (*TRAINING, *ONE_OPTION, *METRICS, *ONE_COMMAND, "torch"),
    "tandem.reports": (*TRAINING, *ONE_OPTION, *METRICS, *ONE_COMMAND, "torch"),
    "tandem.loggers": (*METRICS, *ONE_COMMAND, "soundfile", "datasets"),
    "tandem.callbacks": (*METRICS, *ONE_COMMAND, "soundfile", "espeakng_loader"),
    "tandem.commands.cli": (*TRAINING, *ONE_OPTION, *METRICS, *ONE_COMMAND, "torch"),
    "tandem.commands.generate": (
        *TRAINING,
        *ONE_OPTION,
        *METRICS,
        *ONE_COMMAND,
        *COMPILER,
        *PRETRAINED,
    ),
    "tandem.commands.score": (
        *TRAINING,
        *ONE_OPTION,
        *METRICS,
        *ONE_COMMAND,
        *COMPILER,
        *PRETRAINED,
    ),
    "tandem.commands.serve": (
        *(*TRAINING, *ONE_OPTION, *METRICS, *ONE_COMMAND, *COMPILER, *PRETRAINED),
        *("fastapi", "uvicorn", "pydantic"),
    ),
    "tandem.serving.app": (
        *TRAINING,
        *ONE_OPTION,
        *METRICS,
        *ONE_COMMAND,
        *COMPILER,
        *PRETRAINED,
        "hydra",
    ),
    "tandem.commands.report": (*TRAINING, *ONE_OPTION, *METRICS, "wandb", "optuna"),
    "tandem.commands.train": (*METRICS, *ONE_COMMAND, "soundfile", "espeakng_loader"),
}
"""What must not be loaded with a module."""


@functools.cache
def imported_with(module: str) -> set[str]:
    """Everything that is imported with a module, in a process of its own."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("module", LIGHT)
def test_a_module_loads_nothing_that_it_may_not_need(module: str) -> None:
    assert "tandem" in imported_with(module)
    assert imported_with(module) & {*LIGHT[module]} == set()


def test_the_lists_hold_names_of_modules() -> None:
    for name in {name for names in LIGHT.values() for name in names}:
        assert __import__(name)
    assert {"torch", "tokenizers"} <= imported_with("tandem.inference")


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "--help"),
        ("train", "--help", "encoder=gru"),
        ("train", "encoder=gruu"),
        ("train", "encoder.num_layer=2"),
        ("train", "hidden_size=abc"),
        ("train", "scan"),
        ("generate", "run=a", "search.width=5"),
        ("sweep", "nothing"),
    ],
    ids=" ".join,
)
def test_help_and_mistakes_are_answered_before_work_is_imported(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys\n"
        "from tandem.commands.cli import main\n"
        f"sys.argv = ['tandem', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('modules:', *sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.partition("modules: ")[2].split()}
    assert "tandem" in loaded
    assert loaded & {*TRAINING, *ONE_OPTION, *METRICS, *ONE_COMMAND, "torch", "numpy"} == set()
