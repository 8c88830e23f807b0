"""A language model carries an instruction out on a passage: list, tabulate, shorten, extract."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from data_contracts.base import Result, digest
from tasks.generation.asking import PassageGenerator, as_form, place
from tasks.generation.base import GENERATORS, Candidate, ChunkView, Subject
from tasks.grounding.claims import numbers
from tasks.llm.request import Messages
from tasks.llm.structured import InvalidReply
from tasks.text.markup import plain

_LONGEST_SENTENCE = 30  # words, as the instruction says


class InstructionReply(Result):
    """What the model is to reply."""

    output: str


@dataclass(frozen=True)
class Task:
    """One sort of instruction.

    Attributes:
        wording: The instruction; NAME stands for the passage's title and headings.
        fits: Whether a passage is fit for it.
        fault: What is wrong with an output, or nothing.
        claim: What of an output the passage must support.
    """

    wording: str
    fits: Callable[[ChunkView], bool]
    fault: Callable[[str, ChunkView], str]
    claim: Callable[[str], str]


@GENERATORS.register
class InstructionGenerator(PassageGenerator):
    """Has a language model follow an instruction that can be checked by its form."""

    needs_passage: ClassVar[bool] = True

    generator: Literal["instruction"] = "instruction"
    fewest_words: int = Field(40, description="Shorter chunks are not asked about.", ge=1)

    response_format: ClassVar[type[BaseModel]] = InstructionReply

    def messages(self, subject: Subject) -> Messages | None:
        """Return the conversation, or None where no instruction fits the passage."""
        return super().messages(subject) if _task(subject.chunk) is not None else None

    def wishes(self, subject: Subject) -> Sequence[str]:
        """Return the instruction."""
        return (f"Instruction: {_question(subject.chunk)}",)

    def parse(self, reply: BaseModel, subject: Subject) -> Sequence[Candidate]:
        """Return the output as the answer if it has the form that was asked for."""
        output = as_form(reply, InstructionReply).output.strip()
        chunk = subject.chunk
        task = _task(chunk)
        fault = task.fault(output, chunk) if task is not None else "no instruction fits"
        if task is None or fault:
            raise InvalidReply(f'its "output" {fault}')
        end, claim = len(chunk.text), task.claim(output)
        question = _question(chunk)
        return [Candidate("instruction", question, output, 0, end, asks="", claim=claim)]


def _task(chunk: ChunkView) -> Task | None:
    """Return the instruction for a passage: chosen by hash among those that fit it."""
    fitting = [task for task in _TASKS if task.fits(chunk)]
    if not fitting:
        return None
    return min(fitting, key=lambda task: digest([chunk.chunk_id, task.wording]))


def _question(chunk: ChunkView) -> str:
    task = _task(chunk)
    name = place(chunk).replace('"', "'")
    return task.wording.replace("NAME", name) if task is not None else ""


def _figures(text: str) -> set[str]:
    return {value for value, _, _ in numbers(text)}


def _has_figures(chunk: ChunkView) -> bool:
    return len(_figures(plain(chunk.text))) >= 2


def _has_items(chunk: ChunkView) -> bool:
    return sum(block.kind in ("item", "step") for block in chunk.blocks) >= 3


def _has_prose(chunk: ChunkView) -> bool:
    return sum(1 for _ in chunk.sentences("paragraph")) >= 3


def _figures_fault(output: str, chunk: ChunkView) -> str:
    if not all(re.match(r"[^:]+: \S", line) for line in output.splitlines() if line.strip()):
        return 'has a line that is not "figure: what it stands for"'
    missing = _figures(plain(chunk.text)) - _figures(output)
    return f"leaves out {', '.join(sorted(missing))}" if missing else ""


def _bullets_fault(output: str, chunk: ChunkView) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    right = len(lines) == 3 and all(line.startswith("- ") for line in lines)
    return "" if right else 'is not three lines that begin with "- "'


def _sentence_fault(output: str, chunk: ChunkView) -> str:
    if len(output.split()) > _LONGEST_SENTENCE:
        return f"has more than {_LONGEST_SENTENCE} words"
    one = len(re.findall(r"[.!?](?=\s|$)", output)) == 1 and "\n" not in output
    return "" if one else "is not one sentence"


def _table_fault(output: str, chunk: ChunkView) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    rows = [line.count("|") for line in lines]
    if len(lines) < 4 or set(rows) != {3} or not re.fullmatch(r"\|[-: ]+\|[-: ]+\|", lines[1]):
        return "is not a Markdown table with two columns and at least two rows"
    return ""


def _table_claim(output: str) -> str:
    """Return the cells below the header, which is the instruction's own."""
    return "\n".join(line.strip("| ") for line in output.splitlines()[2:])


def _same(output: str) -> str:
    return output


_TASKS = (
    Task(
        'List every figure that "NAME" gives, one on each line, as "figure: what it stands for".',
        _has_figures,
        _figures_fault,
        _same,
    ),
    Task(
        'Write the main points of "NAME" as three bullet points, each beginning with "- ".',
        _has_prose,
        _bullets_fault,
        _same,
    ),
    Task(
        f'Say what "NAME" is about in one sentence of at most {_LONGEST_SENTENCE} words.',
        _has_prose,
        _sentence_fault,
        _same,
    ),
    Task(
        'Turn the list in "NAME" into a Markdown table with the columns Item and Details.',
        _has_items,
        _table_fault,
        _table_claim,
    ),
)
