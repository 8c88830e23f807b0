"""Is the row's text whole and clean?"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Literal

from pydantic import Field

from tasks.judging.base import JUDGES, JudgedRow, RuleJudge, Verdict

# Ends after which a sentence must go on.
_CUT_OFF = re.compile(
    r"(?:[,;(\[{–—]|\b(?:and|or|but|the|a|an|of|to|in|for|with|by|from|that|which|because|"
    r"if|as|is|are|was|were|und|oder|der|die|das|et|ou|le|la|les|de|y|o|el|los|del))$",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"</?(?:div|span|p|br|td|tr|table|li|ul|ol|a|font|script|style|img|h[1-6])\b[^>]*>|"
    r"&(?:nbsp|amp|lt|gt|quot|#\d+|#x[0-9a-f]+);|\[\[?[^\]]*\]\]?\(\s*\)|\{\{[^}]*\}\}",
    re.IGNORECASE,
)
_RUN = 4  # words in a run whose repetition counts


@JUDGES.register
class WellFormedJudge(RuleJudge):
    """Finds rows that are too short or long, cut off, repetitive, or damaged."""

    judge: Literal["well_formed"] = "well_formed"
    shortest_question: int = Field(2, description="Fewest words of a question.", ge=1)
    longest_answer: int = Field(1000, description="Most words of an answer.", ge=1)
    most_repetition: float = Field(
        0.3,
        gt=0,
        le=1,
        description="Largest share of an answer's runs of four words that repeat an earlier one.",
    )

    def verdict(self, row: JudgedRow) -> Verdict:
        """Give 0 to a row with a fault of form."""
        checks: tuple[Callable[[JudgedRow], str | None], ...] = (
            self._length,
            self._repetition,
            _cut_off,
            _remains,
            _damage,
            _language,
        )
        fault = next((found for check in checks if (found := check(row))), None)
        return Verdict(1.0) if fault is None else Verdict(0.0, fault)

    def _length(self, row: JudgedRow) -> str | None:
        # languages without spaces have one "word" a sentence: their letters count
        asked = max(len(row.question.split()), len(row.question) // 6)
        told = len(row.answer.split())
        if asked < self.shortest_question:
            return f"The question has {asked} words, fewer than {self.shortest_question}."
        if told > self.longest_answer:
            return f"The answer has {told} words, more than {self.longest_answer}."
        return None if re.search(r"\w", row.answer) else "The answer says nothing."

    def _repetition(self, row: JudgedRow) -> str | None:
        share = repetition(row.answer)
        if share <= self.most_repetition:
            return None
        return f"{share:.0%} of the answer repeats what it said before."


def repetition(text: str) -> float:
    """Return the share of a text's runs of four words that repeat an earlier run."""
    words = re.findall(r"\w+", text.lower())
    runs = Counter(tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1))
    total = sum(runs.values())
    return (total - len(runs)) / total if total >= _RUN else 0.0


def _cut_off(row: JudgedRow) -> str | None:
    answer = row.answer.rstrip()
    if len(answer.split()) > 5 and _CUT_OFF.search(answer):
        return f"The answer breaks off: ...{answer[-30:]!r}."
    if answer.count("```") % 2:
        return "The answer opens a code block that it does not close."
    return None


def _remains(row: JudgedRow) -> str | None:
    found = _MARKUP.search(row.question) or (
        None if "```" in row.answer or "`" in row.answer else _MARKUP.search(row.answer)
    )
    return f"Markup was left in: {found[0][:40]!r}." if found else None


def _damage(row: JudgedRow) -> str | None:
    from ftfy.badness import is_bad

    for name, text in (("question", row.question), ("answer", row.answer)):
        if "�" in text or is_bad(text):
            return f"The {name} has letters that were decoded wrongly."
    return None


# Letters by which scripts are told apart; within one script no language is guessed from a row.
_SCRIPTS = {
    "Latin": re.compile(r"[A-Za-zÀ-ɏ]"),
    "Cyrillic": re.compile(r"[Ѐ-ӿ]"),
    "Greek": re.compile(r"[Ͱ-Ͽ]"),
    "Arabic": re.compile(r"[؀-ۿ]"),
    "Hebrew": re.compile(r"[֐-׿]"),
    "Devanagari": re.compile(r"[ऀ-ॿ]"),
    "Chinese or Japanese": re.compile(r"[぀-ヿ一-鿿]"),
    "Korean": re.compile(r"[가-힯]"),
}
_FEWEST_LETTERS = 20


def _language(row: JudgedRow) -> str | None:
    asked, told = _script(row.question), _script(row.answer)
    if row.values["kind"] in ("translation", "cross_lingual") or not asked or not told:
        return None
    return None if asked == told else f"The question is in {asked} letters, the answer in {told}."


def _script(text: str) -> str | None:
    counts = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS.items()}
    name = max(counts, key=lambda key: counts[key])
    return name if counts[name] >= _FEWEST_LETTERS else None
