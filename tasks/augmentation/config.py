"""Configuration of augmentation."""

from typing import TYPE_CHECKING

from pydantic import Field

from data_contracts.base import Config
from tasks.augmentation.augmenter import AUGMENTERS, Augmenter
from tasks.augmentation.augmenters.format import FormatAugmenter
from tasks.augmentation.augmenters.rewording import RewordingAugmenter
from tasks.augmentation.augmenters.typos import TyposAugmenter
from tasks.text.config import SimilarityConfig

if TYPE_CHECKING:
    AnyAugmenter = Augmenter
else:
    AnyAugmenter = AUGMENTERS.union()  # what pydantic validates: one of the registered augmenters


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
    seed: int = Field(1, description="Seed of the choice of rows and of all changes.")
    similarity: SimilarityConfig = Field(
        SimilarityConfig(),
        description="When a new row is too close to a held-out row and is dropped. Set it as "
        "in curation: the audit of the final dataset uses curation's.",
    )
