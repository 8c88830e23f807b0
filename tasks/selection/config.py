"""What the dataset is for, and what that demands of it."""

from typing import Annotated, Literal

from pydantic import Field

from data_contracts.base import Config

Knowledge = Literal["HighlyKnown", "MaybeKnown", "WeaklyKnown", "Unknown"]


class WarningThresholds(Config):
    """Beyond these the dataset is warned about; nothing is dropped for them."""

    top_share: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of the rows that one kind, or one opening of questions, may have "
        "before the data is too uniform in form.",
    )
    length_spread: float = Field(
        0.25,
        ge=0,
        description="Least coefficient of variation (deviation by mean) of the answers' lengths "
        "in words; below it the model learns the length.",
    )
    mixed_share: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="With more than this share of rows with a passage, and of rows without, the "
        "dataset mixes answering from a passage with answering from memory.",
    )


class BehaviourConfig(Config):
    """Style, format, answering from a given passage: few rows, good ones, all different."""

    objective: Literal["behaviour"] = "behaviour"
    max_rows: int | None = Field(
        None,
        ge=1,
        description="Rows to keep, the best and most different ones (quality by coverage, see "
        "`min_rows`); empty for all.",
    )
    min_rows: int = Field(
        200,
        ge=1,
        description="Fewer rows are warned about. Zhou et al. 2023 (LIMA) taught a style with "
        "1,000 chosen rows; below a few hundred, held-out rows no longer tell gain from chance.",
    )
    encoder: str = Field(
        "embedded",
        description="The sentence encoder that says how much rows differ: `embedded` "
        "(all-MiniLM-L6-v2), or a folder.",
    )
    warnings: WarningThresholds = Field(
        default_factory=WarningThresholds, description="When the dataset is warned about."
    )


class KnowledgeConfig(Config):
    """New facts, answered from memory: every fact in several wordings."""

    objective: Literal["knowledge"] = "knowledge"
    wordings_per_fact: int = Field(
        4,
        ge=1,
        description="Facts with fewer differently worded questions are warned about: said once, a "
        "fact is stored but not recalled under another wording (Allen-Zhu and Li 2023, 3.1).",
    )
    min_rows: int = Field(400, ge=1, description="Fewer rows are warned about.")
    classify_facts: int | None = Field(
        100,
        ge=0,
        description="Facts for which the base model is asked what it knows already, chosen by "
        "hash; empty for all, 0 for none. It takes minutes on a CPU with the embedded model.",
    )
    prompts: int = Field(
        4,
        ge=1,
        description="Few-shot prompts with which each question is asked. Gekhman et al. 2024 took "
        "10; fewer call some known facts unknown.",
    )
    shots: int = Field(4, ge=1, description="Solved examples in each prompt.")
    samples: int = Field(
        1,
        ge=0,
        description="Sampled answers a prompt, at temperature 0.5, for facts that no greedy answer "
        "gets right (they took 16; on a CPU the model's vocabulary makes each one dear).",
    )
    max_new_tokens: int = Field(24, ge=1, description="Longest answer of the base model, tokens.")
    min_recall: float = Field(
        0.8,
        gt=0,
        le=1,
        description="An answer is right if it holds this share of the reference's words, and all "
        "of its numbers.",
    )
    max_unknown: float = Field(
        0.5,
        ge=0,
        le=1,
        description="With a larger share of Unknown facts the dataset is warned about: they are "
        "learnt last, and what is learnt of them costs what was known (Gekhman et al. 2024).",
    )
    drop: tuple[Knowledge, ...] = Field(
        (), description="Classes whose rows are dropped, e.g. [HighlyKnown]."
    )
    seed: int = Field(0, description="Changes which facts and examples are drawn.")
    warnings: WarningThresholds = Field(
        default_factory=WarningThresholds, description="When the dataset is warned about."
    )


SelectionConfig = Annotated[BehaviourConfig | KnowledgeConfig, Field(discriminator="objective")]
