"""Encoders for text that others have trained give what transformers gives."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tandem.core.memory import Memory
from tandem.data.preprocessing import Processors
from tandem.data.readers import TextReader
from tandem.data.tokenizers import PretrainedTokenizer
from tandem.encoders import PretrainedEncoder
from tandem.frontends import TextFrontend
from tandem.models import Seq2Seq
from tandem.pretrained import ENCODERS, Checkpoint
from tandem.pretrained.architectures import cleaned
from tandem.testing import partners
from tandem.testing.checkpoints import TEXT_ENCODERS, TEXTS, WHOLE_MODELS, write_checkpoint
from tandem.training.pretrained import PretrainedWeights

pytest.importorskip("transformers")


def test_every_architecture_for_text_is_tried() -> None:
    assert {kind for kind, one in ENCODERS.items() if one.media == "text"} == TEXT_ENCODERS.keys()


@pytest.mark.parametrize("model_type", TEXT_ENCODERS)
def test_states_are_those_of_transformers(model_type: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, model_type, TEXT_ENCODERS[model_type])
    checkpoint = Checkpoint.open(str(tmp_path), key="encoder.path")
    tokenizer = PretrainedTokenizer(shared=False, path=str(tmp_path)).read()
    reader = TextReader(tokenizer, truncate=None, before=tokenizer.before)
    architecture = cleaned(checkpoint.config)
    config_size = TEXT_ENCODERS[model_type].get("embedding_size", 16)
    model = partners.small_model(
        frontend=lambda source_size: TextFrontend(
            source_size=tokenizer.vocabulary_size, embedding_size=config_size, dropout=0.0
        ),
        encoder=lambda input_size: PretrainedEncoder(
            input_size, architecture=architecture, layer=None, summary="mean"
        ),
    )
    PretrainedWeights(encoder=checkpoint).fill(model, Processors(reader, tokenizer, shared=False))
    memory = _encoded(model.eval(), reader, list(TEXTS))
    states, mask = _theirs(tmp_path, model_type)
    assert torch.equal(memory.mask, mask)
    torch.testing.assert_close(memory.states[mask], states[mask], rtol=0, atol=1e-5)


@torch.no_grad()
def _encoded(model: Seq2Seq, reader: TextReader, texts: list[str]) -> Memory:
    source, mask = reader.read(texts).batch(np.arange(len(texts)))
    return model.encode(source, mask)


@torch.no_grad()
def _theirs(folder: Path, model_type: str) -> tuple[torch.Tensor, torch.Tensor]:
    """What transformers makes of the same texts with its own tokenizer's ids."""
    import tokenizers
    from transformers import AutoModel

    inner = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    inner.enable_padding(pad_id=inner.token_to_id("<pad>") or 0)
    encodings = inner.encode_batch(list(TEXTS))
    ids = torch.tensor([one.ids for one in encodings])
    mask = torch.tensor([one.attention_mask for one in encodings])
    model = AutoModel.from_pretrained(folder).eval()
    network = model.get_encoder() if model_type in WHOLE_MODELS else model
    return network(input_ids=ids, attention_mask=mask).last_hidden_state, mask.bool()
