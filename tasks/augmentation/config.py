"""Configuration of augmentation."""

from typing import TYPE_CHECKING

from pydantic import Field

from data_contracts.base import Config
from tasks.augmentation.augmenter import AUGMENTERS, Augmenter, LLMAugmenter
from tasks.augmentation.augmenters.format import FormatAugmenter
from tasks.augmentation.augmenters.rewording import RewordingAugmenter
from tasks.augmentation.augmenters.typos import TyposAugmenter
from tasks.llm.config import LLMConfig
from tasks.text.config import SimilarityConfig

if TYPE_CHECKING:
    AnyAugmenter = Augmenter
else:
    AnyAugmenter = AUGMENTERS.union()  # what pydantic validates: one of the registered augmenters


class ReplayConfig(Config):
    """General rows beside those of the documents, against forgetting what the model knew."""

    share: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Share of the final training rows that are general ones; 0 turns it off. They "
        "come from the datasets named under `general`, then from the base model itself.",
    )
    synthesise: bool = Field(
        True,
        description="Let the base model write the rows that are missing: it is given the opening "
        "of a user's turn and writes instruction and answer itself (Magpie, Xu et al. 2024, "
        "arXiv:2406.08464). That takes a model taught to converse: the embedded one writes web "
        "text without an end, of which nothing is kept.",
    )
    temperature: float = Field(
        1.0, gt=0, le=2, description="Of the instructions; answers are the likeliest ones."
    )
    top_p: float = Field(
        0.95,
        gt=0,
        le=1,
        description="Instructions are sampled from the likeliest tokens with this probability "
        "together.",
    )
    question_tokens: int = Field(
        64, ge=8, description="Longer instructions are dropped: they did not come to an end."
    )
    answer_tokens: int = Field(200, ge=8, description="Longer answers are dropped: the same.")
    attempts: int = Field(
        4,
        ge=1,
        description="Instructions sampled for each row that is wanted, at most; many come to no "
        "end or repeat one another.",
    )


class ShiftConfig(Config):
    """From when on a change that augmentation makes to the training rows is warned of."""

    least_vocabulary: float = Field(
        0.92,
        ge=0,
        le=1,
        description="Warn if as many words as there were before hold less than this share of the "
        "distinct words that they held. On the sample documents the variants made by rules leave "
        "0.99; repeating half of the rows word by word leaves 0.91.",
    )
    least_openings: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Warn if the variety of how questions begin (perplexity of their first two "
        "words) falls below this share of what it was: the model would learn one way to ask. "
        "Repeating rows drawn by chance leaves 0.96 and more.",
    )
    most_divergence: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Warn if words, kinds or languages move further than this (Jensen-Shannon "
        "divergence, 0 to 1) from the rows before. The words of two random halves of the sample "
        "documents' rows differ by 0.09 to 0.11, so a smaller change is within what chance does.",
    )
    most_length: float = Field(
        0.25,
        ge=0,
        description="Warn if the mean length of questions or answers changes by more than this "
        "share.",
    )


class AugmentationConfig(Config):
    """How training rows are said again, and how many of them."""

    augmenters: tuple[AnyAugmenter, ...] = Field(
        (RewordingAugmenter(), TyposAugmenter(), FormatAugmenter()),
        description="Which augmenters to use; none turns augmentation off.",
    )
    share: float = Field(
        0.5,
        ge=0,
        le=5,
        description="At most this many new rows for each training row, counted document by "
        "document. Variants teach the form of questions and no new fact: more of them make "
        "the model repeat itself sooner.",
    )
    max_share: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="At most this share of training rows may be variants, whatever `share` says: "
        "beyond one half, most of what is learned is said twice.",
    )
    max_per_parent: int = Field(
        3, ge=1, description="Variants of one row, at most: the model would learn it by heart."
    )
    duplicate_threshold: float = Field(
        0.8,
        gt=0,
        le=1,
        description="A variant of this Jaccard similarity to another, or to its parent, says the "
        "same and is dropped, as in curation. Typos, formats and distractors are meant to be "
        "like their parent and are compared with one another only.",
    )
    min_grounding: float = Field(
        0.75,
        ge=0,
        le=1,
        description="What a language model said again is dropped if the passage supports less of "
        "it than this.",
    )
    max_tokens: int | None = Field(
        None,
        ge=16,
        description="New rows with more tokens of the base model are dropped as `too_long`; "
        "`training.max_length` if not given.",
    )
    seed: int = Field(1, description="Seed of the choice of rows and of all changes.")
    llm: LLMConfig = Field(
        default_factory=LLMConfig,
        description="The language model to ask, where an augmenter does. `max_calls` is the number "
        "of rows that each such augmenter asks about. The embedded model is too small: on the "
        "sample documents none of 10 rows that it reworded passed the checks.",
    )
    replay: ReplayConfig = Field(
        default_factory=ReplayConfig, description="General rows that are mixed in."
    )
    shift: ShiftConfig = Field(
        default_factory=ShiftConfig, description="When the change to the data is warned of."
    )
    similarity: SimilarityConfig = Field(
        SimilarityConfig(),
        description="When a new row is too close to a held-out row and is dropped. Set it as "
        "in curation: the audit of the final dataset uses curation's.",
    )

    @property
    def asking(self) -> tuple[LLMAugmenter, ...]:
        """The augmenters that ask a language model."""
        return tuple(a for a in self.augmenters if isinstance(a, LLMAugmenter))
