"""Rules that an answer to an instruction can be checked by.

After the idea of IFEval (Zhou et al. 2023, arXiv 2311.07911): only what a rule can verify is
asked for. What the answer says besides is not judged.
"""

import json
import re
from collections.abc import Callable, Mapping

from data_contracts.errors import GeneralSetError

_MARK = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+\S", re.MULTILINE)
_NUMBERED = re.compile(r"^\s*\d+[.)]\s+\S", re.MULTILINE)
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)")
_EDGE = "\"'`*.,!?: "


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['-][^\W_]+)*", text)


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def _has_word(answer: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", answer, re.IGNORECASE) is not None


def _is_json(answer: str, keys: str) -> bool:
    try:
        value = json.loads(re.sub(r"^```\w*\n|\n```$", "", answer.strip()))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and set(keys.split()) <= value.keys()


def _sentences(answer: str) -> int:
    return len(_SENTENCE.findall(answer)) or int(bool(answer.strip()))


# Name of the rule to the check of an answer against the rule's value; an empty answer keeps none.
RULES: Mapping[str, Callable[[str, str], bool]] = {
    "capitals": lambda a, _: bool(_letters(a)) and _letters(a).isupper(),
    "small_letters": lambda a, _: bool(_letters(a)) and _letters(a).islower(),
    "items": lambda a, n: len(_MARK.findall(a)) == int(n),
    "numbered": lambda a, n: len(_NUMBERED.findall(a)) == int(n),
    "most_words": lambda a, n: 0 < len(_words(a)) <= int(n),
    "least_words": lambda a, n: len(_words(a)) >= int(n),
    "exact_words": lambda a, n: len(_words(a)) == int(n),
    "sentences": lambda a, n: _sentences(a) == int(n),
    "contains": _has_word,
    "avoids": lambda a, word: bool(a.strip()) and not _has_word(a, word),
    "without_letter": lambda a, letter: bool(a.strip()) and letter not in a.casefold(),
    "begins": lambda a, text: a.lstrip(_EDGE).casefold().startswith(text.casefold()),
    "ends": lambda a, text: a.rstrip(_EDGE).casefold().endswith(text.casefold().rstrip(_EDGE)),
    "json": _is_json,
    "one_of": lambda a, words: a.strip(_EDGE).casefold() in words.casefold().split(),
    "lines": lambda a, n: sum(bool(line.strip()) for line in a.splitlines()) == int(n),
    "no_digits": lambda a, _: bool(a.strip()) and not any(map(str.isdigit, a)),
}


def keeps(answer: str, rule: str, value: str) -> bool:
    """Return whether an answer keeps a rule.

    Raises:
        GeneralSetError: There is no such rule.
    """
    if rule not in RULES:
        raise GeneralSetError(
            f"There is no rule {rule!r} for instructions; expected one of {', '.join(RULES)}."
        )
    return RULES[rule](answer, value)
