"""What follows from a checkpoint that the decoder begins with: sizes, ties, prompt, tokenizers."""

from typing import Any

from omegaconf import DictConfig, open_dict

from tandem.config.instantiate import plain
from tandem.config.overrides import on_command_line
from tandem.core.errors import InputError
from tandem.data.tokenizers.pretrained import read_vocabulary
from tandem.data.tokenizers.sentence_pieces import SOURCE_PIECES, TARGET_PIECES
from tandem.pretrained import ENCODERS, Checkpoint
from tandem.pretrained.architectures import cleaned, make_config
from tandem.pretrained.checkpoint import TOKENIZER as TOKENIZER_FILE
from tandem.pretrained.decoder_architectures import DECODERS, KEY

DECODER = "tandem.decoders.PretrainedDecoder"
TOKENIZER = "tandem.data.tokenizers.PretrainedTokenizer"
GENERATION = "generation_config.json"
BIASED = ("marian",)
"""Architectures whose vocabulary layer has a bias."""


def settle_decoder(cfg: DictConfig) -> None:
    """Read the architecture, and let embeddings, vocabulary layer and tokenizer fit it.

    :raises InputError: if the checkpoint is missing or of no known architecture.
    """
    checkpoint = None
    if cfg.decoder.path is not None:
        checkpoint = Checkpoint.open(cfg.decoder.path, key="decoder.path")
        checkpoint.check_weights()
    if cfg.decoder.architecture is None:
        if checkpoint is None:
            raise InputError(
                "decoder=pretrained needs decoder.path, a checkpoint, or decoder.architecture, "
                "what its config.json would say, for a network with random weights; give one."
            )
        with open_dict(cfg):
            cfg.decoder.architecture = cleaned(checkpoint.config)
    config = make_config(plain(cfg.decoder.architecture), known=DECODERS, key=KEY)
    architecture = DECODERS[config.model_type]
    with open_dict(cfg):
        cfg.model.embedding_size = architecture.embedding_size(config)
        if checkpoint is None:
            return
        if cfg.tokenizer._target_ != TOKENIZER and not on_command_line("tokenizer"):
            cfg.tokenizer = {"_target_": TOKENIZER, "shared": False, "path": cfg.decoder.path}
        settle_pieces(cfg)
        if cfg.decoder.prompt is None:
            cfg.decoder.prompt = _prompt(checkpoint)
        if config.model_type in BIASED:
            cfg.model.output_bias = True
        if cfg.model.tie_embeddings == "none" and architecture.ties(config):
            cfg.model.tie_embeddings = "all" if _has_one_table(cfg, checkpoint) else "target"


def settle_pieces(cfg: DictConfig) -> None:
    """Give each side its file where a checkpoint has one for each, as Marian's have."""
    for key, file in (("tokenizer", TARGET_PIECES), ("source_tokenizer", SOURCE_PIECES)):
        tokenizer = cfg[key]
        if tokenizer is None or tokenizer._target_ != TOKENIZER or tokenizer.get("file"):
            continue
        folder = Checkpoint.open(tokenizer.path, key=f"{key}.path").folder
        if (folder / TOKENIZER_FILE).is_file() or not (folder / file).is_file():
            continue
        with open_dict(cfg):
            tokenizer.file = file
            if key == "tokenizer" and cfg.source_tokenizer is None:
                cfg.source_tokenizer = {**plain(tokenizer), "shared": False, "file": SOURCE_PIECES}
                tokenizer.shared = False


def _has_one_table(cfg: DictConfig, checkpoint: Checkpoint) -> bool:
    """Whether source and target are texts with the vocabulary of one checkpoint."""
    encoder = ENCODERS.get(checkpoint.config["model_type"])
    reads_text = encoder is not None and encoder.media == "text"
    same = cfg.encoder.get("path") == cfg.decoder.path
    return bool(reads_text and same and cfg.tokenizer.shared and cfg.source_tokenizer is None)


def _prompt(checkpoint: Checkpoint) -> list[str]:
    """What stands before a text, as symbols: one, and what is forced behind it."""
    said: dict[str, Any] = {**checkpoint.config, **checkpoint.read_json(GENERATION)}
    starts = (said.get(key) for key in ("decoder_start_token_id", "bos_token_id"))
    start = next((id_ for id_ in starts if type(id_) is int), None)
    forced = [id_ for _, id_ in said.get("forced_decoder_ids") or []]
    if None in forced:
        raise InputError(
            f"{checkpoint.key} does not say in which language it is to write; set decoder.prompt, "
            "such as '[<|startoftranscript|>,<|en|>,<|transcribe|>,<|notimestamps|>]' for Whisper."
        )
    ids = [start, said.get("forced_bos_token_id"), *forced]
    symbols = {id_: symbol for symbol, id_ in read_vocabulary(checkpoint).ids.items()}
    return [symbols[id_] for id_ in ids if id_ in symbols]
