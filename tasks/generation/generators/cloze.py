"""Cloze: a sentence with its number, date or name left out."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.passage import Span
from tasks.generation.vocabulary import NUMBER
from tasks.generation.wording import content_words, points_elsewhere

_GAP = re.compile(
    r"(?:EUR|USD|GBP) ?\d[\d,.]*\d|[$€£]\d[\d,]*(?:\.\d+)?|"
    r"\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|"
    r"December)(?: \d{4})?|"
    rf"\b(?:{NUMBER})(?: |-)(?:per cent|percent|kilometres|metres|centimetres|miles|kilograms|"
    r"grams|litres|seconds|minutes|hours|working days|business days|days|nights|weeks|months|"
    r"years|people|degrees|euros|dollars|passengers)\b"
)


@GENERATORS.register
class ClozeGenerator(RuleGenerator):
    """Leaves one figure out of a sentence and asks for it."""

    generator: Literal["cloze"] = "cloze"
    per_chunk: int = Field(1, description="Most sentences taken from one chunk.", ge=1)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield up to `per_chunk` sentences with a gap."""
        found = 0
        for sentence in chunk.statements():
            candidate = _gap(chunk, sentence)
            if candidate is not None and found < self.per_chunk:
                found += 1
                yield candidate


def _gap(chunk: ChunkView, sentence: Span) -> Candidate | None:
    text = sentence.text
    gaps = list(_GAP.finditer(text))
    words = text.split()
    if len(gaps) != 1 or not 7 <= len(words) <= 30 or not text.endswith(".") or '"' in text:
        return None
    if re.search(r"(?:\d|\bto|\band|-|–) $", text[: gaps[0].start()]) or " - " in text:
        return None  # half of a range, or no sentence at all
    if re.match(r"(?:For example|For instance|Today|Example)\b", text):
        return None
    if points_elsewhere(text) or not text[0].isupper() or not 3 <= len(chunk.name) <= 80:
        return None
    match = gaps[0]
    if len(content_words(text[: match.start()] + text[match.end() :])) < 3:
        return None
    gapped = f"{text[: match.start()]}____{text[match.end() :]}"
    place = chunk.name.replace('"', "'")
    question = f'Complete the sentence from "{place}": {gapped}'
    return Candidate("cloze", question, match[0], sentence.start, sentence.end)
