"""A language model compares what two related documents say."""

from typing import Literal

from tasks.generation.asking import PairGenerator
from tasks.generation.base import GENERATORS


@GENERATORS.register
class ComparisonGenerator(PairGenerator):
    """Asks a language model how two things differ, or what they have in common."""

    generator: Literal["comparison"] = "comparison"
