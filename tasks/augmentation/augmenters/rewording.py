"""Rewording: the same question in other words, by rules that keep grammar and meaning."""

import re
from collections.abc import Iterator
from random import Random
from typing import Literal

from tasks.augmentation.augmenter import AUGMENTERS, Example, RuleAugmenter, Variant
from tasks.augmentation.rewording_rules import RULES

# How a question names the document it is about.
_SOURCE = re.compile(r'(?:According to|In) ("[^"]+"), (.+)', re.DOTALL)


@AUGMENTERS.register
class RewordingAugmenter(RuleAugmenter):
    """Rewords questions by rule, and moves the naming of the document to the end."""

    augmenter: Literal["rewording"] = "rewording"

    def augment(self, example: Example, random: Random) -> Iterator[Variant]:
        """Yield each way to reword the question, in random order."""
        forms = list(reword(example.question, example.kind))
        random.shuffle(forms)
        for form in forms:
            yield Variant(form, example.answer)


def reword(question: str, kind: str) -> Iterator[str]:
    """Yield other ways to put a question, by the first rule that fits it.

    Args:
        question: The question.
        kind: Kind of its row: only what is a definition may be called so.
    """
    source = _SOURCE.fullmatch(question)
    if source is None:
        yield from _apply_rules(question, kind)
        return
    name, body = source[1], source[2][0].upper() + source[2][1:]
    for form in (body, *_apply_rules(body, kind)):
        if form[-1] in ".?":
            yield f"{form[:-1]}, according to {name}{form[-1]}"


def _apply_rules(question: str, kind: str) -> Iterator[str]:
    for rule in RULES:
        match = re.fullmatch(rule.pattern, question)
        if match is not None and (not rule.kinds or kind in rule.kinds):
            groups = [group or "" for group in match.groups()]
            small = {f"l{n}": lower_first(group) for n, group in enumerate(groups, start=1)}
            yield from (form.format(question, *groups, **small) for form in rule.forms)
            return


def lower_first(text: str) -> str:
    """Return the text with its first letter in lower case."""
    return text[:1].lower() + text[1:]
