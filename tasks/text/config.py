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
    containment_ngram: int = Field(
        3,
        ge=2,
        le=13,
        description="Words in a run when asking how much of a row's text lies within another "
        "row, whose text may be much longer. Short runs outlive changed and re-ordered words.",
    )
    containment_threshold: float = Field(
        0.7,
        gt=0,
        le=1,
        description="A row of which this share of runs lies within another row is contained in "
        "it. Template text does not count.",
    )
    containment_least: int = Field(
        6,
        ge=1,
        description="Rows with fewer runs of their own say too little for being contained in "
        "another to mean anything.",
    )
    substring_characters: int = Field(
        80,
        ge=20,
        description="Characters of normalised text in a row that count as copied verbatim: as "
        "much as 13 words. In characters, so that it holds for languages without spaces.",
    )
    fact_threshold: float = Field(
        0.4,
        gt=0,
        le=1,
        description="Rows whose answers agree in numbers and negations state the same fact when "
        "their subject words reach this Jaccard similarity. On a real handbook's rows of different "
        "groups the highest was 0.25, but for one pair that does state the same.",
    )
    fact_least: int = Field(
        4,
        ge=1,
        description="Rows with fewer subject words say too little to state a fact: 'Is it so? Yes'",
    )
    fact_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="A word found in this share of all documents is no subject word.",
    )
    embedding_threshold: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Cosine similarity of sentence embeddings from which two rows are too close. "
        "Off: paraphrases lie at 0.5 to 0.8 and so do different questions on one subject, no "
        "threshold tells them apart.",
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
