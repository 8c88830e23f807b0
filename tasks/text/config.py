"""What counts as similar: shared by curation, which groups, and augmentation, which checks."""

from pydantic import Field

from data_contracts.base import Config


class SimilarityConfig(Config):
    """When two rows are too close to lie on different sides of the split."""

    shingle_length: int = Field(
        5,
        ge=2,
        le=20,
        description="Characters in a shingle. Characters, not words: a question of four words "
        "has no 5-word shingle, and one changed word should not undo five of them.",
    )
    near_threshold: float = Field(
        0.55,
        gt=0,
        le=1,
        description="Rows whose question and answer reach this Jaccard similarity share a "
        "group. Lower than the duplicate threshold: a reworded row is worth keeping, but not "
        "on the other side of the split.",
    )
    passage_threshold: float = Field(
        0.55,
        gt=0,
        le=1,
        description="Rows whose given passages reach this Jaccard similarity share a group.",
    )
    ngram_length: int = Field(
        13,
        ge=3,
        description="Words in a run that counts as copied when two rows share it. 13 is the "
        "usual length in contamination checks since GPT-3 (Brown et al. 2020, appendix C).",
    )
    template_documents: int = Field(
        5,
        ge=2,
        description="A run of words, or a question, found in at least this many documents is "
        "template text (a footer, a standard question): it does not make rows related.",
    )
    template_share: float = Field(
        0.02,
        ge=0,
        le=1,
        description="The same as a share of all documents; the larger of the two applies, so "
        "that a large corpus does not call everything repeated a template.",
    )
