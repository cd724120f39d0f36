"""What the documents say is true: their options exist, and their commands compose."""

import functools
import itertools
import json
import re
import shlex
from contextlib import nullcontext

import pytest
from documents import DOCUMENTS, ROOT, blocks, read
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from tandem.commands import help, sweep
from tandem.commands.arguments import FOLDERS, as_overrides, split_arguments
from tandem.commands.completion import SHELLS
from tandem.config import checks
from tandem.config.catalogue import config_groups
from tandem.config.folders import find_study
from tandem.core.errors import InputError
from tandem.pretrained import ENCODERS
from tandem.sweeps.study import read_study
from tandem.testing.checkpoints import (
    LANGUAGE_MODELS,
    TEXT_ENCODERS,
    WHOLE_MODELS,
    write_checkpoint,
    write_network,
)

SMALL = {
    **{"hidden_size": 16, "intermediate_size": 16},
    **{"num_hidden_layers": 1, "num_attention_heads": 2},
}


def commands():
    """Every ``tandem`` line of the documents, the examples of ``tandem --help``, and the commands
    that results come from.
    """
    lines = help.EXAMPLES.splitlines()
    for document in DOCUMENTS:
        for block in blocks(document, "sh"):
            lines += block.splitlines()
    results = read("docs/results.md") + read("docs/lab_notes.md")
    lines += [
        re.sub(r"<[^>]+>", "outputs/mine", " ".join(span.split()))
        for span in re.findall(r"`(tandem\s[^`]+)`", results)
    ]
    return [line for line in dict.fromkeys(lines) if re.match(r"(PYTHONPATH=\. )?tandem ", line)]


def single_runs(overrides):
    """Override lists in which each value of a sweep comes once; one list if nothing is swept."""
    parsed = OverridesParser.create().parse_overrides(overrides)
    choices = [
        [f"{item.get_key_element()}={value}" for value in item.sweep_string_iterator()]
        if item.is_sweep_override()
        else [item.input_line]
        for item in parsed
    ]
    count = max(map(len, choices), default=1)
    cycles = [itertools.islice(itertools.cycle(values), count) for values in choices]
    return [list(run) for run in zip(*cycles, strict=True)] or [[]]


def refusal(config):
    """All else fits, but what a training begins with is not there, or who reads it."""
    if config.init_from is not None:
        no_module = (
            "|cannot be imported" if config.encoder._target_.endswith("ModuleEncoder") else ""
        )
        return pytest.raises(InputError, match=f"There is no bundle in {no_module}")
    paths = {str(part.get("path")) for part in (config.tokenizer, config.encoder)}
    if any(path.startswith("outputs/") for path in paths) or paths & PUBLISHED.keys():
        return pytest.raises(InputError, match="is no folder, and the Hugging Face Hub cannot be")
    if config.encoder._target_.endswith("ModuleEncoder"):
        return pytest.raises(InputError, match=r"cannot be read|cannot be imported")
    return None


WITH_FILES = [
    page for page in DOCUMENTS if page.startswith(("docs/guides/extending", "docs/tutorials/"))
]
"""Documents whose code blocks are files that their commands name."""
PUBLISHED = {
    "sentence-transformers/all-MiniLM-L6-v2": ("bert", TEXT_ENCODERS["bert"]),
    "openai-community/gpt2": ("gpt2", LANGUAGE_MODELS["gpt2"]),
    "Helsinki-NLP/opus-mt-en-de": ("marian", WHOLE_MODELS["marian"]),
    "google/vit-base-patch16-224-in21k": ("vit", {**SMALL, "image_size": 8, "patch_size": 4}),
    "facebook/wav2vec2-base": (
        "wav2vec2",
        {**SMALL, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2},
    ),
}
"""Names on the Hub that documents mention: what stands there, and sizes for a test."""


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """Small checkpoints of the kinds that documents mention, written when they are asked for."""

    @functools.cache
    def folder_of(name):
        path = tmp_path_factory.mktemp("checkpoint")
        model_type, sizes = PUBLISHED[name]
        if ENCODERS.get(model_type, ENCODERS["bert"]).media == "text":
            write_checkpoint(path, model_type, sizes)
        else:
            write_network(path, model_type, sizes)
            kind = {"feature_extractor_type": ENCODERS[model_type].preprocessor}
            (path / "preprocessor_config.json").write_text(json.dumps(kind))
        return path

    return folder_of


@pytest.mark.parametrize("line", commands())
def test_command_composes_to_what_fits(
    line, tmp_path, monkeypatch, compose_config, write_examples, published
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for one in PUBLISHED:
        if f"={one}" in line:
            line = line.replace(f"={one}", f"={published(one)}")
    words = shlex.split(line, comments=True)
    name, *arguments = words[words.index("tandem") + 1 :]
    if name == "--help":
        help.print_help()
        return
    assert name in help.COMMANDS
    arguments = [word for word in arguments if word not in ("--cfg", "job")]
    if "--help" in arguments:
        arguments.remove("--help")
        help.print_command_help(name, arguments)
        return
    if name == "completion":
        assert arguments[0] in SHELLS
        return
    if name in FOLDERS:
        arguments = as_overrides(arguments, name)
    for page in WITH_FILES:
        write_examples(read(page), tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)
    own = f"hydra.searchpath=[file://{tmp_path / 'conf'}]"
    if name == "sweep":
        arguments, for_trainings = split_arguments(arguments)
        config = compose_config(name, *arguments)
        own_study = tmp_path / config.file
        study = own_study if own_study.is_file() else find_study(config.file)
        plan = sweep.Plan(read_study(study), tmp_path, for_trainings)
        checks.check(compose_config("train", *plan.choices(next(plan.study.probes()))))
        return
    runs = single_runs([word for word in arguments if not word.startswith("--")])
    assert len(runs) == 1 or "--multirun" in arguments
    for overrides in runs:
        config = compose_config(name, *overrides, own)
        assert not OmegaConf.missing_keys(config)
        if name == "train":
            with refusal(config) or nullcontext():
                checks.check(config)


def test_table_lists_every_option_of_its_groups():
    text = read("README.md")
    table = text.split("| group | options |\n|---|---|\n")[1].split("\n\n")[0]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()]
    found = {group.strip("`"): re.findall(r"`([^`]+)`", options) for group, options in rows}
    assert {"encoder", "decoder", "attention"} <= found.keys()
    assert found == {group: config_groups()[group] for group in found}


def test_folder_map_is_true():
    text = read("CONTRIBUTING.md")
    folders = re.findall(r"^\| `([^`]+/)` \|", text, re.MULTILINE)
    assert len(folders) > 4
    assert all((ROOT / folder).is_dir() for folder in folders)
