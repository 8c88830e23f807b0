"""What a judge is: a plug-in that gives one verdict on a row, with a threshold of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from data_contracts.base import Config
from tasks.llm.request import Messages
from tasks.registry import Registry


@dataclass(frozen=True)
class JudgedRow:
    """A row with the passages that it rests on.

    Attributes:
        values: Its cells, as in the schema EXAMPLE.
        passage: The passage given with it, else its chunks' text; empty where it has neither.
        headings: Title and headings of its chunk.
        flags: Its own and its chunks' flags.
    """

    values: Mapping[str, Any]
    passage: str = ""
    headings: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()

    @property
    def question(self) -> str:
        """The question."""
        return str(self.values["question"])

    @property
    def answer(self) -> str:
        """The answer."""
        return str(self.values["answer"])

    @property
    def generated(self) -> bool:
        """Whether generation made it, and so has checked it against its passage."""
        return self.values["grounding"] is not None


@dataclass(frozen=True)
class Verdict:
    """What a judge found.

    Attributes:
        score: 0 to 1, 1 being right.
        detail: A sentence for a person on what is wrong.
    """

    score: float
    detail: str = ""


class Judge(Config):
    """Base of all judges; `judge` is the plug-in's name and the reason of the rows it drops."""

    judge: str
    min_score: float = Field(
        0.5, ge=0, le=1, description="Rows with a lower score of this judge are dropped."
    )
    skip_kinds: tuple[str, ...] = Field(
        (), description="Kinds of rows that this judge is not asked about."
    )

    def applies(self, row: JudgedRow) -> bool:
        """Whether the judge has anything to say about a row."""
        return row.values["kind"] not in self.skip_kinds


class RuleJudge(Judge):
    """A judge that needs no language model."""

    def verdict(self, row: JudgedRow) -> Verdict:
        """Judge a row."""
        raise NotImplementedError


class LLMJudge(Judge):
    """A judge that asks a language model, one conversation a row."""

    response_format: ClassVar[type[BaseModel]]

    def messages(self, row: JudgedRow) -> Messages:
        """Return what to send."""
        raise NotImplementedError

    def read(self, reply: BaseModel, row: JudgedRow) -> Verdict:
        """Return the verdict in a reply.

        Raises:
            InvalidReply: It does not count: its evidence does not stand where it should.
        """
        raise NotImplementedError


JUDGES: Registry[Judge] = Registry(
    kind="judge", package="tasks.judging.judges", discriminator="judge"
)
