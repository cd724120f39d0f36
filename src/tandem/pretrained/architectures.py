"""Which networks of the package transformers can be a part of ours, and how each is taken."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from torch import Tensor, nn

from tandem.core.errors import InputError, reason_of
from tandem.pretrained.checkpoint import Checkpoint
from tandem.pretrained.loading import below, network_of, quiet
from tandem.pretrained.pictures import check_positions, read_pixels
from tandem.pretrained.speech import mask_convolutions, read_waveforms, read_window

BOOKKEEPING = (
    *("architectures", "auto_map", "dtype", "torch_dtype", "transformers_version"),
    *("attn_implementation", "gradient_checkpointing", "quantization_config", "use_cache"),
    *("id2label", "label2id", "task_specific_params", "num_labels", "output_attentions"),
    *("output_hidden_states", "return_dict", "model_type"),
    *("chunk_size_feed_forward", "problem_type"),
)
"""Keys of a ``config.json`` that say nothing of the network."""
OLDER_KEYS = ("rope_theta", "rope_scaling", "rotary_pct", "rotary_emb_base")
"""What ``rope_parameters`` was called before."""


COUNTS = (
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "decoder_attention_heads"),
    "num_channels",
)
"""What every network has at least one of, though not all are checked as they are built."""
LAYER_DROPS = ("layerdrop", "encoder_layerdrop", "decoder_layerdrop")
"""Options that skip layers in training, which is the trainer's to do."""


def read_embeddings(network: Any, inputs: Tensor, mask: Tensor) -> tuple[Any, Tensor]:
    """Embeddings (B, S, E), mask (B, S) -> the network's output, the mask of its positions."""
    output = network(
        inputs_embeds=inputs, attention_mask=mask, output_hidden_states=True, return_dict=True
    )
    return output, mask


@dataclass(frozen=True, kw_only=True)
class EncoderArchitecture:
    """The half of a network of transformers that reads a source."""

    media: str
    """What it reads: text, image or audio."""
    loader: str
    """The class of transformers whose ``from_pretrained`` reads its weights."""
    part: str = ""
    """Where the encoder stands in what that class makes; empty: it is all of it."""
    builder: str = ""
    """The class of the encoder, ``module.Class`` below ``transformers.models``; empty: the
    loader."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the class, such as which head to leave out."""
    scales_embeddings: bool = False
    """Whether embeddings are multiplied by the root of their size if the config says so."""
    max_length: Callable[[Any], int | None] = lambda config: config.max_position_embeddings
    """Most positions of a source, given the config; None: there is no such limit."""
    read: Callable[[Any, Tensor, Tensor], tuple[Any, Tensor]] = read_embeddings
    """Runs the network over inputs (B, S, E) and their mask (B, S); returns its output with all
    hidden states, and the mask of their positions."""
    adapt: Callable[[Any], None] = lambda network: None
    """Changes what is made, such that padding is invisible; names of weights stay."""
    prefix: int = 0
    """Positions in front of those of the source, such as that of [CLS]; for pictures."""
    preprocessor: str = ""
    """The class of transformers that reads files for it; empty: it reads texts."""
    check: Callable[[Any], None] = lambda config: None
    """Refuses a config that asks for too much room."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Options of the config that must be false, and why."""
    fresh: tuple[str, ...] = ()
    """Weights that checkpoints may lack, as only training uses them, or as they are computed."""

    def build(self, config: Any) -> nn.Module:
        """The network with fresh weights.

        :raises InputError: if the config has an option that cannot be.
        """
        for key, reason in self.refused.items():
            if getattr(config, key, False):
                raise InputError(
                    f"`encoder.architecture.{key}` must be false, since {reason}; choose another "
                    "checkpoint."
                )
        self.check(config)
        network = network_of(
            self.builder or self.loader, config, key="encoder.architecture", **self.options
        )
        self.adapt(network)
        return network

    def load(self, checkpoint: Checkpoint) -> tuple[nn.Module, set[str]]:
        """The network with a checkpoint's weights, and the names of those that it lacks."""
        model, missing = checkpoint.load(self.loader, **self.options)
        return model.get_submodule(self.part), below(self.part, missing).difference(self.fresh)


def _behind_padding(config: Any) -> int:
    """Positions are counted from behind the id of padding, as in fairseq."""
    return int(config.max_position_embeddings - config.pad_token_id - 1)


def _unlimited(config: Any) -> None:
    return None


def _window(config: Any) -> int:
    """Frames of Whisper's window, of which two become one position."""
    return 2 * int(config.max_source_positions)


_WAVEFORM: dict[str, Any] = {
    "media": "audio",
    "max_length": _unlimited,
    "read": read_waveforms,
    "adapt": mask_convolutions,
    "preprocessor": "Wav2Vec2FeatureExtractor",
    "refused": {
        "add_adapter": "its convolutions mix a recording's end with padding",
        "conv_pos_batch_norm": "statistics of a batch depend on its padding",
    },
    "fresh": ("masked_spec_embed",),
}
_NO_POOLER = {"add_pooling_layer": False}


def _without_head(network: Any) -> None:
    """CLIP's norm of the vector that is compared with texts."""
    network.post_layernorm = nn.Identity()


def _without_mask(network: Any) -> None:
    """DINOv2's vector for patches that are hidden in its own training."""
    network.embeddings.mask_token = None


_PICTURE: dict[str, Any] = {
    "media": "image",
    "max_length": _unlimited,
    "read": read_pixels,
    "check": check_positions,
    "prefix": 1,
}

ENCODERS = {
    "bert": EncoderArchitecture(media="text", loader="BertModel", options=_NO_POOLER),
    "distilbert": EncoderArchitecture(media="text", loader="DistilBertModel"),
    "electra": EncoderArchitecture(media="text", loader="ElectraModel"),
    "roberta": EncoderArchitecture(
        media="text", loader="RobertaModel", options=_NO_POOLER, max_length=_behind_padding
    ),
    "xlm-roberta": EncoderArchitecture(
        media="text", loader="XLMRobertaModel", options=_NO_POOLER, max_length=_behind_padding
    ),
    "t5": EncoderArchitecture(media="text", loader="T5EncoderModel", max_length=_unlimited),
    "bart": EncoderArchitecture(
        media="text",
        loader="BartModel",
        part="encoder",
        builder="bart.modeling_bart.BartEncoder",
        scales_embeddings=True,
    ),
    "marian": EncoderArchitecture(
        media="text",
        loader="MarianModel",
        part="encoder",
        builder="marian.modeling_marian.MarianEncoder",
        scales_embeddings=True,
        fresh=("embed_positions.weight",),
    ),
    "mbart": EncoderArchitecture(
        media="text",
        loader="MBartModel",
        part="encoder",
        builder="mbart.modeling_mbart.MBartEncoder",
        scales_embeddings=True,
    ),
    "wav2vec2": EncoderArchitecture(loader="Wav2Vec2Model", **_WAVEFORM),
    "hubert": EncoderArchitecture(loader="HubertModel", **_WAVEFORM),
    "whisper": EncoderArchitecture(
        media="audio",
        loader="WhisperModel",
        part="encoder",
        builder="whisper.modeling_whisper.WhisperEncoder",
        max_length=_window,
        read=read_window,
        preprocessor="WhisperFeatureExtractor",
    ),
    "vit": EncoderArchitecture(
        loader="ViTModel", options=_NO_POOLER, preprocessor="ViTImageProcessor", **_PICTURE
    ),
    "deit": EncoderArchitecture(
        loader="DeiTModel",
        options=_NO_POOLER,
        preprocessor="DeiTImageProcessor",
        **_PICTURE | {"prefix": 2},
    ),
    "clip_vision_model": EncoderArchitecture(
        loader="CLIPVisionModel",
        adapt=_without_head,
        preprocessor="CLIPImageProcessor",
        **_PICTURE,
    ),
    "dinov2": EncoderArchitecture(
        loader="Dinov2Model", adapt=_without_mask, preprocessor="BitImageProcessor", **_PICTURE
    ),
}
"""By ``model_type``, what a checkpoint's ``config.json`` calls its network."""

SECTIONS = {"clip": ("vision_config", "clip_vision_model")}
"""Of networks that read several kinds of sources: where the encoder's config is, and its type."""


TIES = ("tie_word_embeddings", "scale_decoder_outputs")
"""Keys that transformers does not list, from which follows what stands behind a decoder."""


def properties_of(model_type: str) -> set[str]:
    """Keys of a ``config.json`` that describe a network of a kind, as transformers knows them.

    All others are left out, such as those that name code, files or ways to compute.
    """
    from transformers import CONFIG_MAPPING

    if model_type not in CONFIG_MAPPING:
        return set()
    kind = CONFIG_MAPPING[model_type]
    names = {one.name for one in fields(kind) if not one.name.startswith("_")}
    older = OLDER_KEYS if "rope_parameters" in names else ()
    return names.union(kind.attribute_map, older, TIES).difference(BOOKKEEPING)


def cleaned(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a ``config.json`` makes the network, without a vocabulary, which is the frontend's.

    Only padding keeps its row, as some networks count positions from it.
    """
    if config["model_type"] in SECTIONS:
        section, model_type = SECTIONS[config["model_type"]]
        config = {**config.get(section, {}), "model_type": model_type}
    known = properties_of(config["model_type"])
    kept = {key: value for key, value in config.items() if key in known and value is not None}
    if "vocab_size" in kept:
        kept["vocab_size"] = (kept.get("pad_token_id") or 0) + 1
    return {"model_type": config["model_type"], **kept}


def make_config(
    architecture: Mapping[str, Any],
    *,
    known: Collection[str] = ENCODERS,
    key: str = "encoder.architecture",
) -> Any:
    """The config object of transformers that :func:`cleaned` describes.

    :param known: what ``model_type`` may be.
    :param key: of the config, where it stands.
    :raises InputError: if transformers has no use for it.
    """
    from transformers import AutoConfig

    options = dict(architecture) if isinstance(architecture, Mapping) else {}
    model_type = options.pop("model_type", None)
    if not isinstance(model_type, str) or model_type not in known:
        raise InputError(
            f"`{key}.model_type` must be one of {', '.join(known)}, but is "
            f"{model_type!r}; choose a checkpoint of one of these."
        )
    properties = properties_of(model_type)
    for name in options:
        if name not in properties:
            raise InputError(f"`{key}.{name}` is not a property of a network; leave it out.")
    try:
        with quiet():
            config = AutoConfig.for_model(model_type, **options)
    except Exception as error:  # which transformers checks in many ways
        raise InputError(
            f"`{key}` describes no network of {model_type} ({reason_of(error)[:200]}); get the "
            "checkpoint's config.json again."
        ) from error
    for name in COUNTS:
        count = getattr(config, name, 1)
        if type(count) is not int or count < 1:
            raise InputError(
                f"`{key}` describes no network of {model_type} ({name} is {count!r}); get the "
                "checkpoint's config.json again."
            )
    for drop in LAYER_DROPS:
        if hasattr(config, drop):
            setattr(config, drop, 0.0)
    return config
