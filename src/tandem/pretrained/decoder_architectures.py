"""Which networks of the package transformers can be decoders of ours, and how each is taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from tandem.pretrained.loading import network_of

KEY = "decoder.architecture"
Limit = Callable[[Any], int | None]


@dataclass(frozen=True, kw_only=True)
class CrossAttentionPlace:
    """Where a block attends to the encoder's states."""

    name: str
    """Of the attention's module in the block."""
    query_norm: str | None
    """The norm that makes the query and nothing else; None: what it makes is read by others."""
    projections: tuple[str, str, str, str]
    """Names of the maps of query, keys, values and output in the attention."""
    num_results: int
    """How many values it returns, of which the first are the states."""


@dataclass(frozen=True, kw_only=True)
class DecoderArchitecture:
    """The half of a network of transformers that writes a target."""

    loader: str
    """The class of transformers whose ``from_pretrained`` reads its weights, with the vocabulary
    layer."""
    part: str
    """Where the decoder stands in what that class makes."""
    builder: str
    """The class of the decoder, ``module.Class`` below ``transformers.models``."""
    blocks: str = "layers"
    """Where its list of blocks stands."""
    cross_attention: CrossAttentionPlace | None = None
    """None: it reads no source, as a language model."""
    scales_embeddings: bool = False
    """Whether embeddings are multiplied by the root of their size, outside the decoder, if the
    config says so."""
    embedding_size: Callable[[Any], int] = lambda config: config.hidden_size
    """E, given the config."""
    max_length: Limit = lambda config: config.max_position_embeddings
    """Most positions of a target, given the config; None: there is no such limit."""
    changes: Callable[[Any], Mapping[str, Any]] = lambda config: {}
    """What its config must say, given what it says, for it to be the decoder alone."""

    fresh: tuple[str, ...] = ()
    """Weights that checkpoints may lack, as they are computed."""

    def build(self, config: Any) -> nn.Module:
        """The network with fresh weights and without word embeddings, which the model has.

        :param config: is changed.
        """
        fixed = {"vocab_size": 1, "pad_token_id": 0, "decoder_vocab_size": 1, "use_cache": True}
        for key, value in {**fixed, **self.changes(config)}.items():
            if hasattr(config, key):
                setattr(config, key, value)
        network = network_of(self.builder, config, key=KEY)
        network.set_input_embeddings(nn.Identity())
        return _with_exact_norms(network)

    def ties(self, config: Any) -> bool:
        """Whether the word embeddings are the vocabulary layer, too."""
        return bool(getattr(config, "scale_decoder_outputs", config.tie_word_embeddings))

    def features_scale(self, config: Any) -> float:
        """What the features are multiplied by in front of the vocabulary layer."""
        scales = getattr(config, "scale_decoder_outputs", False)
        return float(config.d_model**-0.5) if scales else 1.0


def _with_exact_norms(network: nn.Module) -> nn.Module:
    """Let norms that round float64 to float32 keep what they are given."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            norm: Any = child
            if type(norm).__name__ in ("T5LayerNorm", "LlamaRMSNorm"):
                exact = nn.RMSNorm(norm.weight.shape[0], eps=norm.variance_epsilon)
                exact.weight = norm.weight
                setattr(module, name, exact)
    return network


def _unlimited(config: Any) -> None:
    return None


def _half(
    loader: str,
    builder: str,
    *,
    pre_norm: bool,
    scales_embeddings: bool = False,
    max_length: Limit = lambda config: config.max_position_embeddings,
    fresh: tuple[str, ...] = (),
) -> DecoderArchitecture:
    """The decoder of a network that descends from fairseq's Transformer."""
    return DecoderArchitecture(
        loader=loader,
        part="model.decoder",
        builder=builder,
        cross_attention=CrossAttentionPlace(
            name="encoder_attn",
            query_norm="encoder_attn_layer_norm" if pre_norm else None,
            projections=("q_proj", "k_proj", "v_proj", "out_proj"),
            num_results=2,
        ),
        scales_embeddings=scales_embeddings,
        max_length=max_length,
        fresh=fresh,
    )


DECODERS = {
    "gpt2": DecoderArchitecture(
        loader="GPT2LMHeadModel",
        part="transformer",
        builder="gpt2.modeling_gpt2.GPT2Model",
        blocks="h",
        changes=lambda config: {"add_cross_attention": False},
    ),
    "gpt_neo": DecoderArchitecture(
        loader="GPTNeoForCausalLM",
        part="transformer",
        builder="gpt_neo.modeling_gpt_neo.GPTNeoModel",
        blocks="h",
    ),
    "gpt_neox": DecoderArchitecture(
        loader="GPTNeoXForCausalLM",
        part="gpt_neox",
        builder="gpt_neox.modeling_gpt_neox.GPTNeoXModel",
        max_length=_unlimited,
    ),
    "opt": DecoderArchitecture(
        loader="OPTForCausalLM",
        part="model.decoder",
        builder="opt.modeling_opt.OPTDecoder",
        embedding_size=lambda config: config.word_embed_proj_dim,
    ),
    "llama": DecoderArchitecture(
        loader="LlamaForCausalLM",
        part="model",
        builder="llama.modeling_llama.LlamaModel",
        max_length=_unlimited,
    ),
    "bart": _half(
        "BartForConditionalGeneration",
        "bart.modeling_bart.BartDecoder",
        pre_norm=False,
        scales_embeddings=True,
    ),
    "mbart": _half(
        "MBartForConditionalGeneration",
        "mbart.modeling_mbart.MBartDecoder",
        pre_norm=True,
        scales_embeddings=True,
    ),
    "marian": _half(
        "MarianMTModel",
        "marian.modeling_marian.MarianDecoder",
        pre_norm=False,
        fresh=("embed_positions.weight",),
    ),
    "whisper": _half(
        "WhisperForConditionalGeneration",
        "whisper.modeling_whisper.WhisperDecoder",
        pre_norm=True,
        max_length=lambda config: config.max_target_positions,
    ),
    "t5": DecoderArchitecture(
        loader="T5ForConditionalGeneration",
        part="decoder",
        builder="t5.modeling_t5.T5Stack",
        blocks="block",
        cross_attention=CrossAttentionPlace(
            name="layer.1.EncDecAttention",
            query_norm="layer.1.layer_norm",
            projections=("q", "k", "v", "o"),
            num_results=3,
        ),
        max_length=_unlimited,
        changes=lambda config: {"is_decoder": True, "num_layers": config.num_decoder_layers},
    ),
}
"""By ``model_type``, what a checkpoint's ``config.json`` calls its network."""
