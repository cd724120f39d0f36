"""A bundle's network, filled with its weights, and what it must be where it is asked."""

from tandem.core.errors import InputError
from tandem.data.preprocessing import Processors
from tandem.inference.reading import BundleReader
from tandem.inference.weights import open_weights
from tandem.models import Seq2Seq


def network(reader: BundleReader, processors: Processors) -> Seq2Seq:
    """Build the network that a bundle describes, and read its weights.

    :raises InputError: if they do not fit, or a file is damaged.
    """
    weights = open_weights(reader.files)
    model = reader.network(processors, weights)
    try:
        model.load_state_dict(weights.read())
    except RuntimeError as error:
        raise weights.unfit(str(error)) from error
    return model.eval()


def check_language_model(processors: Processors, place: object, *, why: str) -> None:
    """Refuse a model that reads sources.

    :param place: where it is, for the message.
    :param why: what asks it, in a clause such as "a scorer asks".
    :raises InputError: which says how to get a language model.
    """
    if processors.source.needs_source:
        raise InputError(
            f"The model of {place} reads a source, but {why} a language model; name a run that was "
            "trained with task=language_model."
        )
