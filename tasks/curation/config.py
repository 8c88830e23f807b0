"""Configuration of curation."""

from pydantic import Field

from data_contracts.base import Config
from tasks.text.config import SimilarityConfig


class CurationConfig(Config):
    """Which rows are duplicates, and which belong together."""

    duplicate_threshold: float = Field(
        0.8,
        gt=0,
        le=1,
        description="A row whose question and answer reach this Jaccard similarity to a better "
        "row is dropped. 0.8 is the usual threshold for near-duplicates in training corpora "
        "(Lee et al. 2022; RefinedWeb). Rows whose numbers, names or negations differ are "
        "never near-duplicates.",
    )
    num_perm: int = Field(
        128,
        ge=16,
        le=1024,
        description="MinHash permutations. More find more of the pairs that lie just at a "
        "threshold, and cost time in proportion; what is found is verified exactly anyway.",
    )
    seed: int = Field(1, description="Seed of the MinHash permutations.")
    similarity: SimilarityConfig = Field(
        SimilarityConfig(), description="When rows must share a group. The audit uses the same."
    )
