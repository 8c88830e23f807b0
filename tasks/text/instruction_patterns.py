"""The wordings by which a text speaks to a language model; see `tasks.text.instructions`.

Written from the forms that published injection sets describe, in our own patterns: an order
with its object (what a model was told), a role to take on, an address, how every question is
to be answered, what a model keeps to itself, and how orders are wrapped.
"""

import re
from dataclasses import dataclass

from tasks.text.english_instructions import ENGLISH_FORMS
from tasks.text.foreign_instructions import FOREIGN_FORMS


@dataclass(frozen=True)
class Wording:
    """One form of words.

    Attributes:
        kind: What it does.
        triggers: Lower-cased words of which one must be there: cheap to look for first.
        pattern: The form.
        everywhere: Whether a trigger is needed in any text; else only in plain ASCII.
    """

    kind: str
    triggers: tuple[str, ...]
    pattern: re.Pattern[str]
    everywhere: bool

    def may_occur(self, lowered: str) -> bool:
        """Whether a text in lower case may hold the form at all."""
        needed = self.everywhere or lowered.isascii()
        return not needed or any(word in lowered for word in self.triggers)


# A paragraph without any of these holds no form of that kind.
_TRIGGERS: dict[str, tuple[str, ...]] = {
    "override": (
        *("ignore", "disregard", "forget", "overrid", "bypass", "overlook", "neglect", "skip"),
        *(
            "discard",
            "drop",
            "abandon",
            "not follow",
            "not obey",
            "n't follow",
            "n't obey",
            "stop ",
        ),
        *(
            "attention",
            "delete",
            "erase",
            "cancel",
            "reset",
            "disable",
            "nullify",
            "clear",
            "end of",
        ),
        *(
            "instruction",
            "prompt",
            "orders",
            "directive",
            "task",
            "supersede",
            "precedence",
            "outrank",
        ),
        "replace",
        *("lift", "remove", "turn off"),
    ),
    "role": (
        *(
            "you are",
            "from now on",
            "from this",
            "henceforth",
            "act ",
            "behave",
            "respond",
            "pretend",
        ),
        *("role", "answer", "do anything", " mode", "unrestricted", "unfiltered", "uncensored"),
        "jailbroken",
        *("persona", "become", "ignore", "no rules", "no more", " no "),
    ),
    "address": (
        *("ai", "a.i.", "llm", "gpt", "claude", "gemini", "copilot", "bot", "model", "assistant"),
        *("agent", "virtual"),
    ),
    "answer_order": (
        *(
            "answer",
            "respon",
            "repl",
            "begin",
            "start",
            "end",
            "finish",
            "close",
            "asked",
            "prompted",
        ),
        *("output", "print", "summar", "complet", "give", "assign", "award", "rate", "score"),
        *(
            "mention",
            "reveal",
            "tell",
            "disclose",
            "inform",
            "show",
            "say",
            "questioned",
            "queried",
        ),
    ),
    "exfiltration": (
        "do you follow",
        "were you",
        "are you",
        "prompt",
        "system",
        "instruction",
        "your ",
        "above",
        "before",
        "conversation",
        "chat",
        "api key",
        "credential",
        "password",
        "session",
        "secret",
        "prior to",
        "up to",
    ),
    "decode": (
        "decode",
        "decrypt",
        "obfuscate",
        "rot13",
        "execute",
        "follow",
        "obey",
        "carry out",
        "comply",
    ),
}

# The same for languages in Latin letters, where a paragraph has no others.
_FOREIGN_TRIGGERS = (
    *("vergiss", "ignor", "missacht", "umgehe", "deaktivier", "oubli", "contourn", "olvid"),
    *("descart", "omit", "negeer", "vergeet", "glem", "dimentic", "desativ", "unut", "yoksay"),
    *("talimat", "komut", "du bist", "tu es", "eres", "sei ora", "system", "sistema", "modus"),
    *("modo", "mode", "ohne", "antworte", "fais comme", "finja", "anweisung", "instru", "zapomnij"),
)

WORDINGS = tuple(
    Wording(kind, triggers, re.compile(pattern, re.IGNORECASE), everywhere)
    for forms, given, everywhere in (
        (ENGLISH_FORMS, _TRIGGERS, True),
        (FOREIGN_FORMS, dict.fromkeys(_TRIGGERS, _FOREIGN_TRIGGERS), False),
    )
    for kind, pattern in forms
    for triggers in [given[kind]]
)
