"""Cloze: a sentence with its number, date or name left out."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.passage import Span
from tasks.generation.screen import screened
from tasks.generation.sections import place
from tasks.generation.vocabulary import NUMBER
from tasks.generation.wording import choose, content_words, points_elsewhere, runs_on

_MONEY = (
    r"(?:EUR|USD|GBP) ?\d(?:[\d,.]*\d)?|[$€£]\d(?:[\d,]*\d)?(?:\.\d+)?(?: (?:million|billion))?"
)
_GAP = re.compile(
    rf"{_MONEY}|"
    r"\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|"
    r"December)(?: \d{4})?|"
    rf"\b(?:{NUMBER})(?: |-)(?:per cent|percent|kilometres|metres|centimetres|miles|kilograms|"
    r"grams|litres|seconds|minutes|hours|working days|business days|calendar days|days|nights|"
    r"weeks|months|years|people|degrees|euros|dollars|passengers)\b"
)

# What stands before half of a range, or before a figure of an example or a sum.
_HALF = re.compile(r"(?:\d|^The|\bto|\band|\bor|\bbetween|\bpast|\blast|[-–—~/x×+(=]) ?$")
_OTHER_HALF = re.compile(r"^ ?(?:to\b|or\b|and\b|[-–—/x×+=]|\S*:)")
_EXAMPLE = re.compile(
    r"^(?:You are|You were|For example|For instance|Example|Today|That|Some|Note that some|So|And|"
    r"But|Or|After which)\b|\b(?:would|let's|such as|for example|yesterday|tomorrow)\b|\bsay,|"
    r"\b(?:e\.g|i\.e)\.|[:;•]",
    re.IGNORECASE,
)


@GENERATORS.register
class ClozeGenerator(RuleGenerator):
    """Leaves one figure out of a sentence and asks for it."""

    generator: Literal["cloze"] = "cloze"
    per_chunk: int = Field(1, description="Most sentences taken from one chunk.", ge=1)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield up to `per_chunk` sentences with a gap."""
        found = 0
        gaps = filter(None, (_gap(chunk, sentence) for sentence in chunk.statements()))
        for candidate in screened(chunk, gaps):
            if found < self.per_chunk:
                found += 1
                yield candidate


def _gap(chunk: ChunkView, sentence: Span) -> Candidate | None:
    text = sentence.text
    if re.search(r"\b(?:example|scenario|case study)", chunk.heading, re.IGNORECASE):
        return None
    gaps = list(_GAP.finditer(text))
    if len(gaps) != 1 or not _is_plain(text) or points_elsewhere(text):
        return None
    match = gaps[0]
    before, after = text[: match.start()], text[match.end() :]
    # a second figure would fit the gap as well
    if _HALF.search(before) or _OTHER_HALF.match(after) or re.search(r"\d", before + after):
        return None
    where = place(chunk).replace('"', "'")
    if len(content_words(before + after)) < 3 or not 3 <= len(where) <= 90:
        return None
    gapped = f"{before}____{after}"
    question = choose(
        text,
        f'Complete the sentence from "{where}": {gapped}',
        f'Fill in the gap, going by "{where}": {gapped}',
    )
    return Candidate("cloze", question, match[0], sentence.start, sentence.end)


# Words in capitals side by side: what a form leaves to be filled in.
_BLANK = re.compile(r"\b[A-Z]{5,} [A-Z]{5,}\b")


def _is_plain(text: str) -> bool:
    """Whether a text is one sentence that states something for good."""
    return (
        7 <= len(text.split()) <= 30
        and text.endswith(".")
        and text[0].isupper()
        and '"' not in text
        and " - " not in text
        and not re.search(r"[.!?] ", text)
        and not _EXAMPLE.search(text)
        and not _BLANK.search(text)
        and not runs_on(text)
    )
