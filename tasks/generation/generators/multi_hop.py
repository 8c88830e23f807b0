"""A language model asks a question that takes two passages of related documents to answer."""

from typing import Literal

from tasks.generation.asking import PairGenerator
from tasks.generation.base import GENERATORS


@GENERATORS.register
class MultiHopGenerator(PairGenerator):
    """Asks a language model for a question that neither of two related passages answers alone."""

    generator: Literal["multi_hop"] = "multi_hop"
