"""Back-translation: into another language and back, kept only where it holds.

Sennrich et al. 2016 (arXiv:1511.06709) made training data so; what comes back has the
meaning and other words. Off unless a profile lists it: a small model cannot translate.
"""

from typing import Literal

from pydantic import Field

from tasks.augmentation.asking import SaidAgain, instructions, say_again
from tasks.augmentation.augmenter import AUGMENTERS, Example, Outcome, Variant
from tasks.llm.request import Complete, Messages
from tasks.llm.structured import converse


@AUGMENTERS.register
class BackTranslationAugmenter(SaidAgain):
    """Has a language model translate a row into another language, and then back."""

    augmenter: Literal["back_translation"] = "back_translation"
    pivot: str = Field(
        "German", min_length=2, description="The language that rows are translated into and from."
    )
    language: str = Field(
        "English", min_length=2, description="The language of rows that do not say theirs."
    )

    def ask(self, example: Example, complete: Complete, repairs: int) -> Outcome:
        """Ask for the translation, then for the translation of that."""
        abroad, home = self.pivot, _name(example.language) or self.language
        there = _translate(abroad, Variant(example.question, example.answer))
        translated = converse(there, self.form, self.read_any(example), complete, repairs)
        if translated.value is None:
            return self.outcome(translated, complete)
        back = _translate(home, translated.value)
        returned = converse(back, self.form, self.read(example), complete, repairs)
        return self.outcome(returned, complete)


def _translate(language: str, said: Variant) -> Messages:
    told = instructions("translate", language=language)
    return say_again(told, said.question, said.answer, shown=False)


# Models know languages by their names better than by their codes.
_NAMES = {
    "de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian",
    "ja": "Japanese", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "zh": "Chinese",
}  # fmt: skip


def _name(code: str | None) -> str | None:
    return _NAMES.get(code, code) if code else None
