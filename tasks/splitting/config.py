"""Configuration of the split."""

from typing import Self

from pydantic import Field, model_validator

from data_contracts.base import Config


class SplittingConfig(Config):
    """How much of the data is held out, and by which hash."""

    train: float = Field(0.8, gt=0, lt=1, description="Share of the groups to train on.")
    validation: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Share for early stopping and for choosing between settings.",
    )
    test: float = Field(
        0.1, gt=0, lt=1, description="Share for the verdict alone; nothing is chosen by it."
    )
    salt: str = Field(
        "temper",
        description="Goes into the hash that decides where a group lies. Choose it once for a "
        "corpus (the stage suggests one where the shares come out badly) and keep it: another "
        "salt is another split, and old test rows would be trained on.",
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
