"""Configuration of the split."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from data_contracts.base import Config
from tasks.text.config import SimilarityConfig


class GroupStrategy(Config):
    """Groups are dealt out by hash until the shares are met; held-out rows stay held out."""

    strategy: Literal["group"] = "group"


class TimeStrategy(Config):
    """The newest groups, by the dates that their documents state, are the test."""

    strategy: Literal["time"] = "time"
    undated: Literal["train", "drop"] = Field(
        "train", description="Where groups go none of whose documents states a date."
    )
    validation_from: date | None = Field(
        None, description="Groups from this date on are validation; empty: by the shares."
    )
    test_from: date | None = Field(
        None, description="Groups from this date on are test; empty: by the shares."
    )

    @model_validator(mode="after")
    def _both_dates_in_order(self) -> Self:
        if (self.validation_from is None) != (self.test_from is None):
            raise ValueError("set both validation_from and test_from, or neither")
        if self.validation_from and self.test_from and self.validation_from >= self.test_from:
            raise ValueError(
                f"validation_from ({self.validation_from}) must be before test_from "
                f"({self.test_from}): the newest rows are the test"
            )
        return self


class KFoldStrategy(Config):
    """Groups form folds; one is the test, the next validation, the others train."""

    strategy: Literal["kfold"] = "kfold"
    folds: int = Field(5, ge=3, description="Number of folds; shares are not used.")
    fold: int = Field(0, ge=0, description="The fold that is the test, from 0.")

    @model_validator(mode="after")
    def _fold_exists(self) -> Self:
        if self.fold >= self.folds:
            raise ValueError(f"fold is {self.fold}, expected 0 to {self.folds - 1}")
        return self


Strategy = Annotated[GroupStrategy | TimeStrategy | KFoldStrategy, Field(discriminator="strategy")]


class SplittingConfig(Config):
    """How much of the data is held out, and how it is chosen."""

    train: float = Field(0.8, gt=0, lt=1, description="Share of the rows to train on.")
    validation: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Share for early stopping and for choosing between settings.",
    )
    test: float = Field(
        0.1, gt=0, lt=1, description="Share for the verdict alone; nothing is chosen by it."
    )
    strategy: Strategy = Field(
        default_factory=GroupStrategy, description="How groups are chosen: group, time or kfold."
    )
    by: Literal["document", "question"] = Field(
        "document",
        description="What is held out. `question` is for the knowledge objective: besides whole "
        "documents (the control), one wording of every trained fact that has three or more.",
    )
    similarity: SimilarityConfig = Field(
        default_factory=SimilarityConfig,
        description="With `by: question`: how much alike a held-out question and a trained one "
        "may be. The same values as curation.similarity, by which the audit judges.",
    )
    salt: str = Field(
        "temper",
        description="Goes into the hashes and, with `by`, into the name of the ledger of earlier "
        "splits. "
        "Another salt is a new split, and old test rows would be trained on.",
    )
    min_rows: int = Field(
        10,
        ge=1,
        description="Fewest rows in each of train, validation and test. With fewer no "
        "interval on a held-out figure says anything.",
    )

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(
                f"train + validation + test is {total:g}, expected 1: "
                f"{self.train:g} + {self.validation:g} + {self.test:g}"
            )
        return self

    @model_validator(mode="after")
    def _questions_by_group(self) -> Self:
        if self.by == "question" and self.strategy.strategy != "group":
            raise ValueError(
                f"by: question needs strategy: group, not {self.strategy.strategy}: a recall "
                "question has no date, and would be the test in more than one fold"
            )
        return self

    @property
    def shares(self) -> dict[str, float]:
        """The share of the rows that each side should have."""
        if isinstance(self.strategy, KFoldStrategy):
            fold = 1 / self.strategy.folds
            return {"train": 1 - 2 * fold, "validation": fold, "test": fold}
        return {"train": self.train, "validation": self.validation, "test": self.test}
