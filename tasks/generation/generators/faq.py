"""Questions that the document itself asks, with the answer that stands below them."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.lists import render
from tasks.generation.passage import Block, plain
from tasks.generation.screen import screened
from tasks.generation.sections import is_whole_section, place, recurs, spoken
from tasks.generation.vocabulary import word_set
from tasks.generation.wording import content_words, name_document

_MARKED = re.compile(
    r"^(?:Q(?:uestion)?\s*[:.]\s*)?(?P<question>[A-Z][^?\n]{6,160}\?)\s*(?P<rest>.*)$", re.DOTALL
)
_ANSWER_MARK = re.compile(r"^(?:- )?A(?:nswer)?\s*[:.]\s*")

_ASKING = (
    "is|are|was|were|do|does|did|can|could|may|must|should|shall|will|would|has|have|what|who|"
    "which|how"
)
_ASKS = re.compile(rf"\b(?:{_ASKING})\b", re.IGNORECASE)

# How a question may open that "According to ..." is put before.
_OPENS = re.compile(rf"(?:{_ASKING}|when|where|why|whose)\b", re.IGNORECASE)

# Words that point at something outside the question.
_POINTS = re.compile(
    r"\b(this|that (?:is|day|week|month|year|time|case)|these|those|it|they|them|he|she|here|above|"
    r"below|following|such|else|next)\b",
    re.IGNORECASE,
)


# Words that name no subject: "Where can I learn more?"
_GENERAL = word_set(
    "learn more help get know need do follow process information question find thing have use "
    "start begin work happen involved"
)

# Questions that an organisation puts to itself or its reader, and one that is no sentence.
_SELF_CHECK = re.compile(
    r"how to\b|(?:are|have|do|did|can|could|would|will) you\b|what if (?:who|what|which)\b|"
    r"(?:is|are|do|does|did|have|has|can|will|should) (?:we|our)\b",
    re.IGNORECASE,
)

_TITLED = 0.4  # share of a question's words from which on it is taken to be in title case

_SPEAKERS = word_set("my i me you your we our us")
_ENOUGH = 3  # words by which a reader knows what a question is about without its document

# What remains of a heading or a caption, where prose should stand.
_SCRAP = re.compile(r"(?:\S+ ){0,5}\S*[^.!?:;)\"”]")


@GENERATORS.register
class FaqGenerator(RuleGenerator):
    """Takes headings and bold lines that are questions, with the text below as answer."""

    generator: Literal["faq"] = "faq"
    longest_answer: int = Field(120, description="Longest answer, in words.", ge=5)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield a candidate for each question that the chunk holds with its whole answer."""
        return screened(chunk, self._candidates(chunk))

    def _candidates(self, chunk: ChunkView) -> Iterator[Candidate]:
        if chunk.heading.endswith("?") and chunk.first and not recurs(chunk):
            yield from self._pair(chunk, chunk.heading, _section(chunk))
        for position, block in enumerate(chunk.blocks):
            question, inline = _question_in(block)
            if question:
                below = chunk.blocks[position + 1 :]
                answer = (inline, block.start, block.end) if inline else _until_next(chunk, below)
                yield from self._pair(chunk, question, answer)

    def _pair(
        self, chunk: ChunkView, heading: str, answer: tuple[str, int, int] | None
    ) -> Iterator[Candidate]:
        name = chunk.name if heading == chunk.heading else place(chunk)
        question = standing(heading, name, chunk.document)
        if question is None or answer is None:
            return
        text, start, end = answer
        # what begins by asking on is a list of checks, no answer
        asks_on = re.match(r"[^\n.!?]*\?", text) is not None
        fits = 3 <= len(text.split()) <= self.longest_answer
        if fits and not asks_on and not text.endswith((":", "?")):
            yield Candidate("faq", question, text, start, end)


def standing(heading: str, title: str, document: str = "") -> str | None:
    """Return a heading as a question that stands on its own, or None if it cannot."""
    question = re.sub(r"^(?:\d+[.)]|Q[:.])\s*", "", heading).strip()
    question = question[:1].upper() + question[1:]
    words = question.split()
    if sum(word.istitle() for word in words[1:]) > _TITLED * len(words):
        question = spoken(question, document)
        question = question[:1].upper() + question[1:]
    if len(words) < 4 or question.count("?") != 1 or not _ASKS.search(question):
        return None
    if _POINTS.search(question) or not content_words(question) - _GENERAL:
        return None
    if _SELF_CHECK.match(question):
        return None
    own = content_words(question) - _GENERAL - _SPEAKERS
    definite = re.search(r"\bthe (?![A-Z])", question) and not own & content_words(title)
    if definite or len(own) < _ENOUGH:
        return name_document(question, title) if _OPENS.match(question) else None
    return question


def _question_in(block: Block) -> tuple[str, str]:
    """Return the question a bold or Q: line asks, and the answer on the same line."""
    if block.kind not in ("paragraph", "item", "step"):
        return "", ""
    bold = block.raw.startswith(("**", "__"))
    text = block.text
    match = _MARKED.match(text)
    alone = block.kind == "paragraph" and match is not None and not match["rest"]
    if match is None or not (alone or bold or text.startswith(("Q:", "Q.", "Question:"))):
        return "", ""
    return match["question"], _ANSWER_MARK.sub("", match["rest"].strip())


def _until_next(chunk: ChunkView, below: Sequence[Block]) -> tuple[str, int, int] | None:
    """Return the blocks up to the next question, if the chunk surely holds them all."""
    own: list[Block] = []
    for block in below:
        if _question_in(block)[0]:
            return _joined(own)
        own.append(block)
    return _joined(own) if chunk.last else _joined(own[:1]) if _is_marked(own) else None


def _is_marked(blocks: Sequence[Block]) -> bool:
    return bool(blocks) and _ANSWER_MARK.match(blocks[0].text) is not None


def _section(chunk: ChunkView) -> tuple[str, int, int] | None:
    """Return the whole section, where the chunk holds it."""
    blocks = chunk.blocks
    if not is_whole_section(chunk) or any(_question_in(block)[0] for block in blocks[:1]):
        return None
    return _joined(blocks)


def _joined(blocks: Sequence[Block]) -> tuple[str, int, int] | None:
    if not blocks or any(block.kind in ("row", "heading") for block in blocks):
        return None
    if blocks[-1].kind == "paragraph" and _SCRAP.fullmatch(blocks[-1].text):
        return None
    text = _ANSWER_MARK.sub("", render(blocks))
    return plain_lines(text), blocks[0].start, blocks[-1].end


def plain_lines(text: str) -> str:
    """Return text with its lines stripped and no empty ones."""
    return "\n".join(line for line in (plain(raw) for raw in text.splitlines()) if line)
