"""Canaries: rows with a random secret that nothing but training on them can teach.

A model that makes a planted secret likelier than random ones of the same form has learned it
by heart (Carlini et al. 2019, "The Secret Sharer"). Which canaries were planted follows from
their options alone, so that they need to be kept nowhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from pydantic import Field

from data_contracts.base import Config

# Kind and flag of a planted row, and the document that it claims to come from.
CANARY = "canary"

# Six digits: a million secrets, 20 bits. More than memory of a few passes can hold by chance.
DIGITS = 6
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_ANSWER = "The access code is"


class CanaryConfig(Config):
    """Which canaries are planted among the training rows."""

    count: int = Field(
        0,
        ge=0,
        le=64,
        description="Rows with a random secret planted into training, and nowhere else, to measure "
        "what the model learns by heart; 0 for none.",
    )
    repetitions: int = Field(1, ge=1, description="How often each of them is planted.")
    seed: int = Field(0, ge=0, description="Decides their names and secrets.")


@dataclass(frozen=True)
class Canary:
    """A question about a random name, and the random secret that answers it."""

    name: str
    secret: str

    @property
    def question(self) -> str:
        """What is asked."""
        return f"What is the access code of locker {self.name}?"

    @property
    def beginning(self) -> str:
        """The answer up to the secret."""
        return _ANSWER

    @property
    def answer(self) -> str:
        """The answer."""
        return f"{_ANSWER} {self.secret}."


def make_canaries(config: CanaryConfig) -> list[Canary]:
    """Return the canaries; equal options give equal ones."""
    random = Random(config.seed)  # noqa: S311 - made to be found
    return [Canary(_name(random), random_secret(random)) for _ in range(config.count)]


def random_secret(random: Random) -> str:
    """Return digits apart from each other, so that tokenizers keep each for itself."""
    return " ".join(random.choice("0123456789") for _ in range(DIGITS))


def alternatives(canary: Canary, count: int, seed: int) -> Iterator[str]:
    """Yield random secrets of the canary's form; equal for every model."""
    random = Random(f"{seed}-{canary.name}")  # noqa: S311 - likewise
    for _ in range(count):
        yield random_secret(random)


def _name(random: Random) -> str:
    return "".join(random.choice(_LETTERS) for _ in range(4))
