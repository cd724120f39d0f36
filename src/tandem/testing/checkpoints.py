"""Tiny random checkpoints, as transformers saves them, on which pretrained parts are checked."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers
import torch
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from tandem.pretrained.loading import quiet

TEXTS = ("a dog runs in the snow", "two cats sleep", "the dog and a cat", "snow in june")
SIZE = 16
SIZES: dict[str, Any] = {
    "hidden_size": SIZE,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "max_position_embeddings": 40,
}
HALVES: dict[str, Any] = {
    "d_model": SIZE,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 40,
}
TEXT_ENCODERS: dict[str, dict[str, Any]] = {
    "bert": SIZES,
    "distilbert": {
        "dim": SIZE,
        "hidden_dim": 32,
        "n_heads": 2,
        "n_layers": 2,
        "max_position_embeddings": 40,
    },
    "electra": {**SIZES, "embedding_size": 8},
    "roberta": SIZES,
    "xlm-roberta": SIZES,
    "t5": {"d_model": SIZE, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2},
    "bart": {**HALVES, "scale_embedding": True},
    "marian": {**HALVES, "scale_embedding": True},
    "mbart": HALVES,
}
"""Small sizes by ``model_type``, as the config of each calls them."""
LANGUAGE_MODELS: dict[str, dict[str, Any]] = {
    "gpt2": {"n_embd": SIZE, "n_layer": 2, "n_head": 2, "n_positions": 40},
    "gpt_neo": {
        "hidden_size": SIZE,
        "num_layers": 2,
        "num_heads": 2,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 4,
        "max_position_embeddings": 40,
    },
    "gpt_neox": SIZES,
    "opt": {
        **{key: value for key, value in SIZES.items() if key != "intermediate_size"},
        "word_embed_proj_dim": 8,
        "ffn_dim": 32,
    },
    "llama": {**SIZES, "num_key_value_heads": 1},
}
WHOLE_MODELS: dict[str, dict[str, Any]] = {
    name: TEXT_ENCODERS[name] for name in ("t5", "bart", "marian", "mbart")
}
"""Those with an encoder and a decoder for text."""


def write_checkpoint(folder: Path, model_type: str, sizes: Mapping[str, Any]) -> None:
    """Save a network of random weights and a tokenizer that has learnt from :data:`TEXTS`.

    Its tokenizer is WordPiece for what descends from BERT, byte-level BPE for what descends from
    GPT-2, and Unigram for others.
    """
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    tokenizer, special = _tokenizer(model_type)
    tokenizer.save(str(_made(folder) / "tokenizer.json"))
    names = {f"{name}_token": tokenizer.id_to_token(id_) for name, id_ in special.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    ids = {
        f"{name}_token_id": id_ for name, id_ in special.items() if name in ("pad", "eos", "bos")
    }
    options = {"vocab_size": tokenizer.get_vocab_size(), **ids, **sizes}
    kind: Any = AutoModelForCausalLM if model_type in LANGUAGE_MODELS else AutoModel
    if model_type in WHOLE_MODELS:
        start = "eos" if "bart" in model_type else "pad"
        options["decoder_start_token_id"] = special[start]
        kind = AutoModelForSeq2SeqLM
    torch.manual_seed(0)
    model = kind.from_config(AutoConfig.for_model(model_type, **options))
    for parameter in model.parameters():  # biases and norms, too, must matter
        torch.nn.init.normal_(parameter, std=0.3)
    if hasattr(model, "final_logits_bias"):
        torch.nn.init.normal_(model.final_logits_bias, std=1.0 if model_type == "marian" else 0.0)
    if model_type == "bart":
        model.generation_config.forced_bos_token_id = special["bos"]
    with quiet():
        model.save_pretrained(folder)


def write_network(folder: Path, model_type: str, sizes: Mapping[str, Any]) -> None:
    """Save a network of random weights that reads pictures or recordings."""
    from transformers import AutoConfig, AutoModel

    with quiet():
        AutoModel.from_config(AutoConfig.for_model(model_type, **sizes)).save_pretrained(folder)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _tokenizer(model_type: str) -> tuple[tokenizers.Tokenizer, dict[str, int]]:
    """A tokenizer of the kind that a network has, and its special ids."""
    if model_type in ("bert", "distilbert", "electra"):
        return _word_piece()
    if model_type in ("roberta", "bart", "whisper", *LANGUAGE_MODELS):
        return _byte_level(framed=model_type in ("roberta", "bart"))
    return _unigram(framed=model_type == "xlm-roberta")


def _word_piece() -> tuple[tokenizers.Tokenizer, dict[str, int]]:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=60, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer, {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4}


def _byte_level(*, framed: bool) -> tuple[tokenizers.Tokenizer, dict[str, int]]:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] if framed else ["<|endoftext|>"]
    tokenizer = tokenizers.Tokenizer(models.BPE(unk_token="<unk>" if framed else None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    if not framed:
        return tokenizer, {"bos": 0, "eos": 0}
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    return tokenizer, {"bos": 0, "pad": 1, "eos": 2, "unk": 3}


def _unigram(*, framed: bool) -> tuple[tokenizers.Tokenizer, dict[str, int]]:
    """As T5 has it, or with ``<s>`` in front as XLM-R."""
    special = ["<s>", "<pad>", "</s>", "<unk>"] if framed else ["<pad>", "</s>", "<unk>"]
    tokenizer = tokenizers.Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=60, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    ids = {symbol: place for place, symbol in enumerate(special)}
    start = "<s> " if framed else ""
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start}$A </s>", special_tokens=list(ids.items())
    )
    named = {"pad": ids["<pad>"], "eos": ids["</s>"], "unk": ids["<unk>"]}
    return tokenizer, {**named, "bos": ids["<s>"]} if framed else named


def write_pieces(folder: Path, *, target_lacks: str) -> None:
    """Put files of SentencePiece into the place of a checkpoint's tokenizer, as Marian has them.

    :param target_lacks: a piece that the target's file does not have.
    """
    path = folder / "tokenizer.json"
    vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    path.unlink()
    ids = {piece: place for place, (piece, _) in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    for name, lacking in (("source.spm", ""), ("target.spm", target_lacks)):
        pieces = [
            _field(1, _field(1, piece.encode()) + b"\x15" + struct.pack("<f", score))
            for piece, score in vocabulary
            if piece != lacking
        ]
        (folder / name).write_bytes(b"".join(pieces) + _field(2, b"\x18\x01"))


def _field(number: int, content: bytes) -> bytes:
    """A field of protocol buffers that holds fewer than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content
