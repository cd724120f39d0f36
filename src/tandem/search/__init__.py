"""Ways of finding good outputs; they know a model only as a function of the next symbol."""

from tandem.search.base import Search, Step
from tandem.search.beam import BeamSearch
from tandem.search.greedy import GreedySearch

__all__ = ["BeamSearch", "GreedySearch", "Search", "Step"]
