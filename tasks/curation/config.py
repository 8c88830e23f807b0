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
    semantic_threshold: float | None = Field(
        None,
        gt=0,
        le=1,
        description="A row is also dropped if the local encoder's cosine similarity to a better "
        "row reaches this and numbers, negations, names and answers agree. Off: it needs the "
        "encoder, some 25 rows a second and core. 0.8 is a careful value: of 28 pairs of a real "
        "handbook above it one says the same, and it alone agrees in all of these.",
    )
    substring_threshold: float | None = Field(
        None,
        gt=0,
        le=1,
        description="A row is also dropped if this share of its runs of "
        "`similarity.substring_characters` characters, question and answer, stands in a better "
        "row, which also holds its numbers, names and negations. Off: a sentence that two "
        "answers have in common makes them kin, which share a side, and no duplicates.",
    )
    num_perm: int = Field(
        128,
        ge=16,
        le=1024,
        description="MinHash permutations. More find more of the pairs that lie just at a "
        "threshold, and cost time in proportion; what is found is verified exactly anyway.",
    )
    seed: int = Field(1, description="Seed of the MinHash permutations.")
    planted: int = Field(
        200,
        ge=0,
        le=100_000,
        description="Leaks that the audit plants into a copy of the dataset to measure how many "
        "each detector finds, and rows on which it counts false alarms. 0 measures nothing.",
    )
    near_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Scores are also reported on the test rows to which no training row comes "
        "nearer than this share of any detector's threshold.",
    )
    benchmarks: tuple[str, ...] = Field(
        (),
        description="Benchmarks that training rows must not give away: files, folders or addresses "
        "in any form that `temper check-leakage` reads. Hits are reported and fail nothing; "
        "`temper decontaminate` takes them out.",
    )
    similarity: SimilarityConfig = Field(
        SimilarityConfig(), description="When rows must share a group. The audit uses the same."
    )
