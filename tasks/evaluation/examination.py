"""What an examination is: a plug-in that puts questions to one model and measures its answers.

It is put to base and tuned model alike. Which questions are asked depends on the rows and the
options alone, never on the model.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from data_contracts.base import Config, digest
from data_contracts.schemas import REPLAY
from tasks.evaluation.metrics import token_f1
from tasks.modeling.chat import prompt_messages
from tasks.registry import Registry
from tasks.text.right import is_right

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject

Row = dict[str, Any]


class Measure(NamedTuple):
    """A figure on a written answer; None where it does not apply."""

    name: str
    better: str  # lower, higher
    of: Callable[[str, Row], float | None]


F1 = Measure("token_f1", "higher", lambda answer, row: token_f1(answer, row["answer"]))
RIGHT = Measure("right", "higher", lambda answer, row: float(is_right(answer, row["answer"])))


@dataclass(frozen=True)
class Passage:
    """A passage of a document that can be retrieved."""

    passage_id: str
    text: str


@dataclass(frozen=True)
class Material:
    """What questions are made from.

    Attributes:
        rows: In the EXAMPLE schema: originals that belong to the task, in all splits.
        passages: Of all documents; empty where rows were imported.
    """

    rows: Sequence[Row]
    passages: Sequence[Passage] = ()

    def split(self, *splits: str) -> list[Row]:
        """Return the rows of some splits."""
        return [row for row in self.rows if row["split"] in splits]


@dataclass(frozen=True)
class Asked:
    """A question as it is put: the arm, and a row in the EXAMPLE schema."""

    name: str
    row: Row


@dataclass
class Findings:
    """What an examination collects.

    Attributes:
        kept: Rows in the MEASUREMENT schema.
        dropped: Questions that could not be put, with their reason.
        figures: Numbers that are no measure of the model.
    """

    kept: list[Row] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)


class Examination(Config):
    """Base of all examinations; `examination` is the plug-in's name and that of its results."""

    examination: str

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Put the questions to the model and add what was found."""
        raise NotImplementedError

    def source(self) -> str:
        """Return a digest of the files that the questions come from; empty for none."""
        return ""

    def ask(
        self,
        subject: "Subject",
        asked: Sequence[Asked],
        measures: Sequence[Measure],
        findings: Findings,
    ) -> None:
        """Have questions answered, and measure the answers."""
        rows, answers = self.put(subject, asked, findings)
        for question, answer in zip(rows, answers, strict=True):
            self.note(question, answer, measures, findings)

    def put(
        self, subject: "Subject", asked: Sequence[Asked], findings: Findings
    ) -> tuple[list[Asked], list[str]]:
        """Return the questions that are short enough, and the answers to them."""
        short = []
        for question in asked:
            tokens = subject.prompt_tokens(question.row)
            if tokens <= subject.max_length:
                short.append(question)
            else:
                detail = f"{tokens} tokens, more than evaluation.max_length {subject.max_length}"
                findings.dropped.append(
                    self.cells(question) | {"reason": "too_long", "detail": detail}
                )
        return short, subject.answers([question.row for question in short], self.longest())

    def note(
        self, question: Asked, answer: str, measures: Iterable[Measure], findings: Findings
    ) -> None:
        """Add the measures of one answer."""
        for measure in measures:
            value = measure.of(answer, question.row)
            if value is not None:
                findings.kept.append(
                    self.cells(question)
                    | {"measure": measure.name, "better": measure.better, "value": value}
                    | {"generated": answer}
                )

    def cells(self, question: Asked) -> Row:
        """Return what a question's measurements have in common."""
        row = question.row
        return {
            "set": self.examination,
            "name": question.name,
            "row_id": row["example_id"],
            "cluster": row.get("group_id") or row["document_id"],
            "prompt": "\n\n".join(message["content"] for message in prompt_messages(row)),
            "reference": row["answer"],
        }

    def longest(self) -> int:
        """Return how many tokens an answer may have."""
        return int(getattr(self, "max_new_tokens", 48))


class RowExamination(Examination):
    """An examination that asks some of the dataset's rows."""

    rows: int = Field(20, ge=2, description="Most rows that are asked, chosen by hash.")
    max_new_tokens: int = Field(48, ge=1, description="Longest answer, in tokens.")

    def choose(self, rows: Iterable[Row]) -> list[Row]:
        """Return at most `rows` of the rows, the same ones in every run."""
        return by_hash(rows)[: self.rows]


def by_hash(rows: Iterable[Row]) -> list[Row]:
    """Return rows in an order that their identifiers alone decide."""
    return sorted(rows, key=lambda row: digest(["examination", row["example_id"]]))


def task_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows that belong to the task and were not derived from others."""
    return (row for row in rows if row["parent_id"] is None and row["kind"] != REPLAY)


def alone(row: Mapping[str, Any]) -> Row:
    """Return a row without the passage that comes with it."""
    return {**row, "context": None}


EXAMINATIONS: Registry[Examination] = Registry(
    kind="examination", package="tasks.evaluation.examinations", discriminator="examination"
)
