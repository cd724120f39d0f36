"""What follows from a checkpoint of others that a part begins with: sizes, readers, tokenizers."""

from collections.abc import Callable
from typing import Any

from omegaconf import DictConfig, open_dict

from tandem.config.build import goes_on
from tandem.config.instantiate import make, plain
from tandem.config.pretrained_decoder import DECODER, TOKENIZER, settle_decoder, settle_pieces
from tandem.core.errors import InputError
from tandem.data.features.pretrained import PretrainedFeatures, cleaned_preprocessor
from tandem.data.tokenizers.pretrained import read_vocabulary
from tandem.pretrained import ENCODERS, Checkpoint, EncoderArchitecture
from tandem.pretrained.architectures import cleaned, make_config
from tandem.pretrained.tensor_file import TensorFile
from tandem.training.pretrained import PretrainedWeights

ENCODER = "tandem.encoders.PretrainedEncoder"
FEATURES = "tandem.data.features.PretrainedFeatures"
MODULE = "tandem.encoders.ModuleEncoder"


def settle_pretrained(cfg: DictConfig) -> None:
    """Write into a config what the checkpoints of its parts say.

    :raises InputError: if a checkpoint is missing, of no known architecture, or does not fit.
    """
    settle_pieces(cfg)
    if cfg.decoder._target_ == DECODER:
        settle_decoder(cfg)
    if cfg.encoder._target_ == ENCODER:
        _settle_encoder(cfg)
    if cfg.encoder._target_ == MODULE:
        with open_dict(cfg):
            cfg.frontend = {
                "_target_": "tandem.frontends.VectorFrontend",
                "_partial_": True,
                "media": "image",
            }
    for tokenizer in (cfg.tokenizer, cfg.source_tokenizer):
        if tokenizer is not None and tokenizer._target_ == TOKENIZER:
            make(tokenizer).read()  # which refuses what cannot be read


def _settle_encoder(cfg: DictConfig) -> None:
    """Read the architecture, and let the frontend and the reader of sources fit it."""
    if cfg.encoder.architecture is None:
        if cfg.encoder.path is None:
            raise InputError(
                "encoder=pretrained needs encoder.path, a checkpoint, or encoder.architecture, "
                "what its config.json would say, for a network with random weights; give one."
            )
        checkpoint = Checkpoint.open(cfg.encoder.path, key="encoder.path")
        checkpoint.check_weights()
        with open_dict(cfg):
            cfg.encoder.architecture = cleaned(checkpoint.config)
    architecture = plain(cfg.encoder.architecture)
    kind = ENCODERS[make_config(architecture).model_type]
    if kind.media == "text":
        _settle_text(cfg, architecture)
    else:
        _settle_files(cfg, kind, architecture)


def _settle_text(cfg: DictConfig, architecture: dict[str, Any]) -> None:
    """The frontend has the word embeddings, and the checkpoint's tokenizer cuts the source."""
    config = make_config(architecture)
    with open_dict(cfg):
        cfg.frontend = {
            "_target_": "tandem.frontends.TextFrontend",
            "_partial_": True,
            "embedding_size": getattr(config, "embedding_size", config.hidden_size),
            "dropout": 0.0,
        }
        if cfg.encoder.path is None:
            return
        checkpoint = Checkpoint.open(cfg.encoder.path, key="encoder.path")
        read_vocabulary(checkpoint).check_frame(checkpoint.key)
        if cfg.source_tokenizer is not None:
            return
        tokenizer = cfg.tokenizer
        if tokenizer._target_ != TOKENIZER or not (
            tokenizer.shared or tokenizer.path == cfg.encoder.path
        ):
            cfg.source_tokenizer = {
                "_target_": TOKENIZER,
                "shared": False,
                "path": cfg.encoder.path,
            }
            cfg.tokenizer.shared = False


def _settle_files(cfg: DictConfig, kind: EncoderArchitecture, architecture: dict[str, Any]) -> None:
    """Files are read as the checkpoint's preprocessor does, and the encoder gets what it makes."""
    with open_dict(cfg):
        if cfg.features is None or cfg.features._target_ != FEATURES:
            preprocessor: dict[str, Any] = {}
            if cfg.encoder.path is not None:
                preprocessor = Checkpoint.open(cfg.encoder.path, key="encoder.path").preprocessor
            elif kind.media == "image":
                preprocessor = dict.fromkeys(("size", "crop_size"), architecture["image_size"])
            cfg.features = {
                "_target_": FEATURES,
                "preprocessor": cleaned_preprocessor(preprocessor, kind.preprocessor),
            }
        features: PretrainedFeatures = make(cfg.features)
        cfg.frontend = {
            "_target_": "tandem.frontends.VectorFrontend",
            "_partial_": True,
            "media": kind.media,
            "mean": features.mean,
            "std": features.std,
        }


def pretrained_weights(cfg: DictConfig) -> PretrainedWeights | None:
    """What a run's parts begin with; None if nothing, or if it goes on from its own checkpoint."""
    if goes_on(cfg):
        return None
    openers: dict[str, tuple[str, str, Callable[..., Any]]] = {
        "module": ("encoder", MODULE, TensorFile.open),
        "encoder": ("encoder", ENCODER, Checkpoint.open),
        "decoder": ("decoder", DECODER, Checkpoint.open),
    }
    opened = {
        name: opener(cfg[part].path, key=f"{part}.path")
        for name, (part, target, opener) in openers.items()
        if cfg[part]._target_ == target and cfg[part].path is not None
    }
    return PretrainedWeights(**opened) if opened else None
