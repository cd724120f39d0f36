"""Decoders and whole models that others have trained give what transformers gives."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from torch import Tensor

from tandem.config.build import MODEL_PARTS, build_model, build_processors, model_spec
from tandem.config.folders import config_folder
from tandem.config.instantiate import plain
from tandem.config.pretrained import pretrained_weights, settle_pretrained
from tandem.core.types import FIRST_OUTPUT, SPECIAL_IDS
from tandem.data.preprocessing import Processors
from tandem.data.tokenizers.pretrained import read_vocabulary
from tandem.inference.bundle import load_bundle, save_bundle
from tandem.models import Seq2Seq
from tandem.pretrained import Checkpoint
from tandem.pretrained.decoder_architectures import DECODERS
from tandem.search import GreedySearch, Step
from tandem.search.rules import MinLength, NoRepeatNgram
from tandem.testing.checkpoints import (
    HALVES,
    LANGUAGE_MODELS,
    SIZE,
    TEXTS,
    WHOLE_MODELS,
    write_checkpoint,
    write_pieces,
)

transformers = pytest.importorskip("transformers")
LEAST, MOST = 6, 12
"""Symbols of an output; as no two in a row come twice, it has at least three kinds of them."""


def test_every_architecture_for_text_is_tried() -> None:
    assert DECODERS.keys() == {*LANGUAGE_MODELS, *WHOLE_MODELS, "whisper"}


def begun(*overrides: str) -> tuple[DictConfig, Seq2Seq, Processors]:
    """The model that training begins with."""
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        cfg = compose("train", [*overrides, "dropout=0"])
    settle_pretrained(cfg)
    processors = build_processors(cfg)(lambda column: list(TEXTS))
    torch.manual_seed(0)
    model = build_model(
        cfg,
        source_size=processors.source.size,
        target_size=processors.target.vocabulary_size,
        shared_vocabulary=processors.shared,
    )
    weights = pretrained_weights(cfg)
    assert weights is not None
    weights.fill(model, processors)
    return cfg, model.eval(), processors


def rows_of(folder: Path, processors: Processors) -> list[int | None]:
    """For each id of ours that of the checkpoint."""
    vocabulary = read_vocabulary(Checkpoint.open(str(folder), key="decoder.path"))
    return vocabulary.rows(processors.target.symbols)


@pytest.mark.parametrize("model_type", LANGUAGE_MODELS)
@torch.inference_mode()
def test_a_language_model_begins_as_it_is(model_type: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, model_type, LANGUAGE_MODELS[model_type])
    _, model, processors = begun(
        "decoder=pretrained",
        f"decoder.path={tmp_path}",
        "tokenizer=pretrained",
        f"tokenizer.path={tmp_path}",
    )
    tied = model.output.weight is model.target_table.weight
    assert tied == (model_type not in ("gpt_neox", "llama"))
    ids = processors.target.encode_batch([TEXTS[0]])[0]
    target_in = torch.tensor([[SPECIAL_IDS.bos, *ids]])
    source, mask = processors.source.read([TEXTS[1]]).batch(np.arange(1))
    logits = model(source, mask, target_in)[0, :, FIRST_OUTPUT:]
    rows = rows_of(tmp_path, processors)
    network = transformers.AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    start = network.config.bos_token_id
    theirs = network(torch.tensor([[start, *(rows[id_] for id_ in ids)]])).logits[0]
    torch.testing.assert_close(logits, theirs[:, rows[FIRST_OUTPUT:]], rtol=0, atol=1e-5)


@torch.inference_mode()
def test_whisper_reads_its_prompt_before_a_text(tmp_path: Path) -> None:
    sizes = {**HALVES, "max_target_positions": 40, "pad_token_id": 0}
    write_checkpoint(tmp_path, "whisper", sizes)
    prompt = ["a", "d", "the"]
    _, model, processors = begun(
        "decoder=pretrained",
        f"decoder.path={tmp_path}",
        f"decoder.prompt={prompt}",
        "tokenizer=pretrained",
        f"tokenizer.path={tmp_path}",
        f"encoder.hidden_size={SIZE}",
    )
    memory = model.encode(*processors.source.read([TEXTS[1]]).batch(np.arange(1)))
    ids = processors.target.encode_batch([TEXTS[0]])[0]
    predicted = model.decode(torch.tensor([[SPECIAL_IDS.bos, *ids]]), model.start(memory))
    rows = rows_of(tmp_path, processors)
    network = transformers.WhisperForConditionalGeneration.from_pretrained(tmp_path).eval()
    known = read_vocabulary(Checkpoint.open(str(tmp_path), key="decoder.path")).ids
    written = [*(known[symbol] for symbol in prompt), *(rows[id_] for id_ in ids)]
    theirs = network.model.decoder(
        input_ids=torch.tensor([written]), encoder_hidden_states=memory.states
    )
    expected = network.proj_out(theirs.last_hidden_state)[0, 2:, rows[FIRST_OUTPUT:]]
    logits = model.output(predicted.features)[0, :, FIRST_OUTPUT:]
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("model_type", "ties"), [*((kind, True) for kind in WHOLE_MODELS), ("t5", False)]
)
@torch.inference_mode()
def test_a_whole_model_writes_what_transformers_writes(
    model_type: str, ties: bool, tmp_path: Path
) -> None:
    write_checkpoint(tmp_path, model_type, WHOLE_MODELS[model_type])
    if not ties:
        path = tmp_path / "config.json"
        config = json.loads(path.read_text())
        path.write_text(json.dumps({**config, "scale_decoder_outputs": False}))
    cfg, model, processors = begun("model=pretrained_seq2seq", f"model.path={tmp_path}")
    assert cfg.model.tie_embeddings == ("all" if ties else "none")
    rows = rows_of(tmp_path, processors)
    network = transformers.AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    source, mask = processors.source.read(list(TEXTS)).batch(np.arange(len(TEXTS)))
    memory = model.encode(source, mask)
    outputs = GreedySearch()(
        Step(model.step, False, (NoRepeatNgram(size=2), MinLength(least=LEAST))),
        model.start(memory),
        first=torch.full((len(TEXTS),), SPECIAL_IDS.bos),
        max_length=MOST,
    )
    forbidden = [network.config.pad_token_id]  # which ours never write
    encodings = encoded(tmp_path)
    for (best, *_), ids in zip(outputs, encodings, strict=True):
        given = torch.tensor([ids])
        fed = len(cfg.decoder.prompt)
        written = network.generate(
            given,
            min_new_tokens=LEAST + fed - 1,
            max_new_tokens=MOST + fed - 1,
            do_sample=False,
            num_beams=1,
            suppress_tokens=forbidden,
            no_repeat_ngram_size=2,
            forced_eos_token_id=None,
        )[0]
        ours = [rows[id_] for id_ in best.tokens]
        assert ours == written.tolist()[fed : fed + len(ours)]
        logits = model(
            *processors.source.read([TEXTS[0]]).batch(np.arange(1)),
            torch.tensor([[SPECIAL_IDS.bos, *best.tokens[:-1]]]),
        )
        compare(network, torch.tensor([encodings[0]]), written[:-1], logits[0], rows, fed)


@pytest.mark.parametrize("model_type", ["bart", "marian"])
def test_a_bundle_needs_no_checkpoint(model_type: str, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    write_checkpoint(folder, model_type, WHOLE_MODELS[model_type])
    cfg, model, processors = begun("model=pretrained_seq2seq", f"model.path={folder}")
    parts = {name: plain(cfg[name]) for name in (*MODEL_PARTS, "model", "objective")}
    config = {"model": model_spec(parts), "search": plain(cfg.search)}
    config |= {"dataset": plain(cfg.dataset), "metric": {}, "scorer": {}, "rule": {}}
    save_bundle(
        tmp_path / "bundle", model=model, processors=processors, max_length=MOST, config=config
    )
    shutil.rmtree(folder)
    bundle = load_bundle(tmp_path / "bundle")
    source, mask = processors.source.read(list(TEXTS)).batch(np.arange(len(TEXTS)))
    with torch.inference_mode():
        outputs = GreedySearch()(
            Step(model.step, False, ()),
            model.start(model.encode(source, mask)),
            first=torch.full((len(TEXTS),), SPECIAL_IDS.bos),
            max_length=MOST,
        )
    expected = [best.tokens for best, *_ in outputs]
    assert [best.tokens for best, *_ in bundle.hypotheses(list(TEXTS))] == expected
    ((attention, *_), *_) = bundle.attention(list(TEXTS), bundle.hypotheses(list(TEXTS)))
    assert attention.weights.shape[0] == len(expected[0])


@torch.inference_mode()
def test_each_side_has_its_own_pieces(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "marian", WHOLE_MODELS["marian"])
    expected = encoded(tmp_path)
    write_pieces(tmp_path, target_lacks="▁a")
    cfg, model, processors = begun("model=pretrained_seq2seq", f"model.path={tmp_path}")
    assert cfg.model.tie_embeddings == "target"
    rows = rows_of(tmp_path, processors)
    source, mask = processors.source.read(list(TEXTS)).batch(np.arange(len(TEXTS)))
    read = [
        [rows[id_] for id_ in ids[real].tolist()] for ids, real in zip(source, mask, strict=True)
    ]
    assert read == expected
    assert model.frontend.table is not None
    torch.testing.assert_close(model.frontend.table.weight[2:], model.target_table.weight[2:])
    (ids,) = processors.target.encode_batch(["a  cat ü"])
    assert processors.target.tokens(ids) == ["▁", "a", "▁cat", "▁", "<unk>"]
    assert processors.target.decode(ids) == "a cat  <unk>"


def encoded(folder: Path) -> list[list[int]]:
    """The ids of the checkpoint's own tokenizer."""
    inner = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    return [encoding.ids for encoding in inner.encode_batch(list(TEXTS))]


def compare(
    network: Any, source: Tensor, written: Tensor, logits: Tensor, rows: list[Any], fed: int
) -> None:
    """Logits of a teacher-forced pass."""
    theirs = network(input_ids=source, decoder_input_ids=written[None]).logits[0, fed - 1 :]
    torch.testing.assert_close(
        logits[:, FIRST_OUTPUT:], theirs[: len(logits), rows[FIRST_OUTPUT:]], rtol=0, atol=1e-5
    )
