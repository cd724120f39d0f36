"""What there is not to see in a model, and why."""

from collections.abc import Iterator

from tandem.inference.inspection.inspection import Inspection
from tandem.inference.inspection.watching import attentions_of
from tandem.models import Seq2Seq
from tandem.models.sequence_model import SequenceModel

IN_MODULES = (
    "embeddings",
    "encoder_layers",
    "encoder_self_attention",
    "decoder_layers",
    "decoder_self_attention",
    "decoder_features",
)
EXPORTED = (
    "This model runs from exported graphs, which give its memory, its scores and its attention "
    "alone; look into the run that it was exported from."
)


def summary_is_all(model: SequenceModel) -> bool:
    """Whether the decoder gets no more of the source than its summary."""
    attentions = attentions_of(model) if isinstance(model, Seq2Seq) else []
    if not attentions:
        return not model.has_weights
    return not any(attention.reads_query for attention in attentions)


def lacks_of(model: SequenceModel, seen: Inspection) -> dict[str, str]:
    """A sentence for each part of the road that is missing, or of which not all is shown."""
    sentences = dict(_of_source(seen))
    if isinstance(model, Seq2Seq):
        sentences |= dict(_of_encoder(seen)) | dict(_of_decoder(model, seen))
    else:
        sentences |= dict.fromkeys(IN_MODULES, EXPORTED)
    if "decoder/attention" not in seen.arrays:
        sentences["decoder_attention"] = (
            "This model has no attention: its decoder gets the summary alone, the same at every "
            "step."
            if seen.summary_alone
            else "This model's attention has no weights that could be shown."
        )
    if seen.width == 1:
        sentences["beam"] = (
            f"{seen.parts['search']} keeps one output, so its tree is a line; search=beam keeps "
            "several."
        )
    return sentences


def _of_source(seen: Inspection) -> Iterator[tuple[str, str]]:
    if seen.source.tokens is None:
        yield (
            "source_tokens",
            f"A source of this kind ({seen.source.media}) is no row of symbols; its positions are "
            "places in what is drawn.",
        )
    else:
        yield "source_picture", "A text is not drawn; its positions are its symbols."


def _of_encoder(seen: Inspection) -> Iterator[tuple[str, str]]:
    encoder = seen.parts["encoder"]
    if "encoder/layer_1/states" not in seen.arrays:
        yield (
            "encoder_layers",
            f"{encoder} does not say where the states of its layers can be seen, so only what it "
            "hands over is.",
        )
    if not any(name.endswith("self_attention") for name in seen.arrays if "encoder/" in name):
        yield (
            "encoder_self_attention",
            f"{encoder} has no self-attention: none of its positions weighs all the others.",
        )


def _of_decoder(model: Seq2Seq, seen: Inspection) -> Iterator[tuple[str, str]]:
    decoder, attentions = seen.parts["decoder"], attentions_of(model)
    if "decoder/layer_1/states" not in seen.arrays:
        yield (
            "decoder_layers",
            f"{decoder} computes its layers together, so that only its features can be seen.",
        )
    if not any(name.endswith("self_attention") for name in seen.arrays if "decoder/" in name):
        yield (
            "decoder_self_attention",
            f"{decoder} has no self-attention: what it wrote before reaches it through its own "
            "state.",
        )
    if "decoder/attention" not in seen.arrays:
        return
    if len(attentions) > 1:
        yield (
            "decoder_attention_layers",
            f"{decoder} has an attention in each of its {len(attentions)} layers; the last one is "
            "shown, and all are among the arrays in Python.",
        )
    for attention in attentions[-1:]:
        if attention.half_width is not None:
            yield (
                "decoder_attention_window",
                f"{type(attention).__name__} sees a window of {attention.half_width} positions on "
                "either side of a centre; all others have no weight.",
            )
