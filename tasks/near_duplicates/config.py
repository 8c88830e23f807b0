"""Configuration of the search for near-duplicates on disk."""

from typing import Literal

from pydantic import Field

from data_contracts.base import Config


class NearDuplicatesConfig(Config):
    """When two documents repeat each other, which is kept, and how much memory is used."""

    threshold: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Documents whose shingles reach this Jaccard similarity are linked; linked "
        "documents form a cluster, of which one is kept. 0.8 is the usual threshold for "
        "training corpora (Lee et al. 2022; RefinedWeb).",
    )
    unit: Literal["words", "characters"] = Field(
        "words",
        description="What a shingle is made of: words for documents, characters for rows of a "
        "sentence or two.",
    )
    shingle_length: int = Field(5, ge=1, le=50, description="Words or characters in a shingle.")
    num_perm: int = Field(
        128,
        ge=16,
        le=1024,
        description="MinHash permutations. More find more of the pairs that lie just at the "
        "threshold, and cost time in proportion; what is found is verified exactly anyway.",
    )
    seed: int = Field(1, description="Seed of the MinHash permutations.")
    id_column: str | None = Field(
        "id",
        description="Column that names the documents; no name twice. Without one they are named "
        "after their file and row.",
    )
    text_column: str = Field("text", description="Column with the text.")
    quality_column: str | None = Field(
        None,
        description="Number that says which document of a cluster is kept: the highest; among "
        "equals, and without a column, the smallest name. A missing number is the lowest.",
    )
    neighbours: int = Field(
        16,
        ge=1,
        description="Candidates that share a band are all compared if they are at most one "
        "more than this; in a larger bucket each is compared with the first and with this many "
        "after it, so that the time stays linear. Two documents of a huge bucket may then be "
        "missed unless another band or a third document links them.",
    )
    memory_bytes: int = Field(
        2**30,
        ge=2**24,
        description="Memory for the data, beside some 200 MB for Python and its libraries in "
        "each process. A document needs 256 bytes of it at least: 4 GiB are enough for 16 "
        "million. Processes of this machine share it; those of a cluster have as much each.",
    )
    workers: int = Field(
        1,
        ge=1,
        description="Processes on this machine; the result is the same. They divide the corpus "
        "by row groups of its files.",
    )
    dask: str | None = Field(
        None,
        description="Address of a Dask scheduler whose workers do the work instead; the result is "
        "the same. All must see the files and the folder by the same paths.",
    )
