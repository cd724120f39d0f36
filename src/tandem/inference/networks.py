"""A bundle's network, filled with its weights."""

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
