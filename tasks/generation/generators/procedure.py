"""Procedures: how is it done? The answer is the steps, all of them."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.generators.heading import is_quotable
from tasks.generation.lists import ListRun, list_runs, render
from tasks.generation.passage import Block
from tasks.generation.screen import is_pointer, screened
from tasks.generation.sections import is_whole_section, quoted, recurs
from tasks.generation.steps import (
    ask_how,
    instructs,
    is_procedure,
    is_task,
    names_aims,
    orders,
    task_of,
)
from tasks.generation.wording import choose, content_words, name_document, points_elsewhere

_TELLING = 4  # sentences of which one may say where to read on
_STEP_NUMBER = re.compile(r"\bsteps? \d", re.IGNORECASE)


@GENERATORS.register
class ProcedureGenerator(RuleGenerator):
    """Asks how a task is done where the steps are given."""

    generator: Literal["procedure"] = "procedure"
    fewest_steps: int = Field(2, description="Fewest steps a procedure must have.", ge=2)
    longest_answer: int = Field(180, description="Longest answer, in words.", ge=5)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield a candidate for the section's steps, numbered or told in prose."""
        return screened(chunk, self._candidates(chunk))

    def _candidates(self, chunk: ChunkView) -> Iterator[Candidate]:
        runs = list(list_runs(chunk))
        if len(runs) == 1 and self._usable(runs[0]):
            yield from self._numbered(chunk, runs[0])
        elif not runs:
            yield from self._told(chunk)

    def _usable(self, run: ListRun) -> bool:
        texts = [item.text for item in run.items]
        cut = any(len(text.split()) < 2 or text.endswith((":", "?")) for text in texts)
        return run.whole and run.flat and not cut and len(texts) >= self.fewest_steps

    def _numbered(self, chunk: ChunkView, run: ListRun) -> Iterator[Candidate]:
        task = task_of(chunk)
        if not (run.follows_heading and (is_procedure(run) or is_task(chunk, run))):
            return
        if task is None and names_aims(chunk.heading):
            return
        if run.lead is not None and not run.lead.text.endswith((".", ":", "!")):
            return  # a caption or a label: "Example"
        blocks = [*([run.lead] if run.lead is not None else []), *run.items]
        question = _ask(chunk, task, run.items[0].text)
        if question is not None:
            yield from self._candidate(question, blocks)

    def _told(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Ask how to do what a heading orders, where the section is one piece of prose."""
        blocks, task = chunk.blocks, task_of(chunk)
        prose = blocks and all(block.kind == "paragraph" for block in blocks)
        if not (prose and task and is_whole_section(chunk)) or points_elsewhere(task):
            return
        sentences = [span.text for span in chunk.sentences("paragraph")]
        telling = 2 * sum(instructs(text) for text in sentences) >= len(sentences)
        ordering = telling and any(orders(text) for text in sentences)
        whole = len(sentences) >= 2 and all(text.endswith((".", "!")) for text in sentences)
        if any(map(is_pointer, sentences)) and len(sentences) < _TELLING:
            return
        shared = content_words(task) & content_words(" ".join(sentences))
        question = _ask(chunk, task, sentences[0])
        if question and ordering and whole and shared and not _is_name(chunk.heading, sentences[0]):
            yield from self._candidate(question, list(blocks))

    def _candidate(self, question: str, blocks: list[Block]) -> Iterator[Candidate]:
        answer = render(blocks)
        if 8 <= len(answer.split()) <= self.longest_answer and not _STEP_NUMBER.search(answer):
            yield Candidate("procedure", question, answer, blocks[0].start, blocks[-1].end)


def _is_name(heading: str, opening: str) -> bool:
    """Whether a text begins by saying what its heading is: the heading is then no task."""
    return opening.lower().startswith(heading.lower())


def _ask(chunk: ChunkView, task: str | None, key: str) -> str | None:
    if recurs(chunk):
        return None
    if task is not None:
        return name_document(ask_how(task, key), chunk.name)
    if not is_quotable(chunk):
        return None
    name = quoted(chunk.heading)
    opening = choose(key, "what are the steps under", "which steps are given under")
    return name_document(f'{opening} "{name}"?', chunk.name)
