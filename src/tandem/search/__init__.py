"""Ways of finding good outputs; they know a model only as a function of the next symbol."""

from tandem.search.base import Expansion, Search, Step
from tandem.search.beam import BeamSearch
from tandem.search.constrained import ConstrainedBeamSearch
from tandem.search.diverse import DiverseBeamSearch
from tandem.search.greedy import GreedySearch
from tandem.search.listening import Heard, Listener
from tandem.search.sampling import Sampling

__all__ = [
    "BeamSearch",
    "ConstrainedBeamSearch",
    "DiverseBeamSearch",
    "Expansion",
    "GreedySearch",
    "Heard",
    "Listener",
    "Sampling",
    "Search",
    "Step",
]
