"""Paraphrase: question and answer in a language model's words, kept only where they hold."""

from typing import Literal

from tasks.augmentation.asking import SaidAgain, instructions, say_again
from tasks.augmentation.augmenter import AUGMENTERS, Example, Outcome
from tasks.llm.request import Complete
from tasks.llm.structured import converse


@AUGMENTERS.register
class ParaphraseAugmenter(SaidAgain):
    """Has a language model say question and answer in other words."""

    augmenter: Literal["paraphrase"] = "paraphrase"

    def ask(self, example: Example, complete: Complete, repairs: int) -> Outcome:
        """Ask for question and answer in other words."""
        messages = say_again(
            instructions("paraphrase"), example.question, example.answer, shown=True
        )
        reply = converse(messages, self.form, self.read(example), complete, repairs)
        return self.outcome(reply, complete)
