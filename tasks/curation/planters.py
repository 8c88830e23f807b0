"""Ways in which a held-out row gets into training data; each writes one as a training row.

A way takes a row, a random source and texts of other rows, and returns question and answer.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from tasks.text.fact_words import subject_words
from tasks.text.facts import values

Row = Mapping[str, Any]
Planter = Callable[[Row, Random, Sequence[str]], tuple[str, str]]

# One word in so many is replaced, one at least.
_WORDS_PER_CHANGE = 12
# Words of other rows that stand before and behind an embedded row.
_FILLER_WORDS = 60

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W\d_]+")
_TERM = re.compile(r"[^\W_]+")

# Both ways. Words of everyday English that stand for each other in most sentences.
_PAIRS = (
    "big large", "begin start", "buy purchase", "can may", "quickly fast", "help assist",
    "show display", "need require", "use employ", "must should", "give provide", "ask request",
    "say state", "find locate", "under below", "many numerous", "also additionally",
    "about regarding", "before until", "people persons", "work labour", "job task",
    "each every", "get obtain", "make create", "keep retain", "send submit", "team group",
    "tell inform", "end finish", "allowed permitted", "choose select",
)  # fmt: skip
_SYNONYMS = {
    one: other
    for pair in _PAIRS
    for left, right in [pair.split()]
    for one, other in ((left, right), (right, left))
}


def verbatim(row: Row, random: Random, others: Sequence[str]) -> tuple[str, str]:
    """Return the row as it stands."""
    return row["question"], row["answer"]


def edited(row: Row, random: Random, others: Sequence[str]) -> tuple[str, str]:
    """Change case, punctuation and white space."""
    case = random.choice([str.upper, str.lower, str.title])
    return _edited(row["question"], case, random), _edited(row["answer"], case, random)


def _edited(text: str, case: Callable[[str], str], random: Random) -> str:
    words = [f"{word}{random.choice([',', ' ;', '', '', '  '])}" for word in text.split()]
    return case(" ".join(words).rstrip(" ;,.?!")) + random.choice(["", "!", "...", " ?"])


def few_words(row: Row, random: Random, others: Sequence[str]) -> tuple[str, str]:
    """Replace a word in twelve, one at least, by words of other rows."""
    words = re.split(r"(\s+)", f"{row['question']}\n{row['answer']}")
    places = list(range(0, len(words), 2))
    question_end = 2 * len(row["question"].split())
    stock = random.choice(others).split()
    for place in random.sample(places, max(1, len(places) // _WORDS_PER_CHANGE)):
        words[place] = random.choice([w for w in stock if w != words[place]] or ["thing"])
    return "".join(words[:question_end]).strip(), "".join(words[question_end:]).strip()


def reordered(row: Row, random: Random, others: Sequence[str]) -> tuple[str, str]:
    """Put the sentences of the answer into another order; a single one before the question."""
    sentences = [s for s in _SENTENCE.split(row["answer"]) if s.strip()]
    if len(sentences) < 2:
        return row["answer"], row["question"]
    turn = random.randrange(1, len(sentences))
    return row["question"], " ".join([*sentences[turn:], *sentences[:turn]])


def embedded(row: Row, random: Random, others: Sequence[str]) -> tuple[str, str]:
    """Put the row into the middle of a longer text."""
    before, behind = (_filler(random, others) for _ in range(2))
    text = f"{before}\n\n{row['question']}\n{row['answer']}\n\n{behind}"
    return "Which parts of this text matter most?", text


def _filler(random: Random, others: Sequence[str]) -> str:
    words: list[str] = []
    while len(words) < _FILLER_WORDS:
        words += random.choice(others).split() or ["and"]
    return " ".join(words[:_FILLER_WORDS])


def translated_format(row: Row, random: Random, others: Sequence[str]) -> tuple[str, str]:
    """Write question and answer as a dialogue, as JSON or as a Markdown table."""
    question, answer = row["question"], row["answer"]
    forms = {
        "Continue the dialogue.": f"User: {question}\n\nAssistant: {answer}",
        "Return a JSON object.": json.dumps(
            {"prompt": question, "completion": answer}, ensure_ascii=False, indent=1
        ),
        "Fill in the table.": "| Question | Answer |\n| --- | --- |\n"
        f"| {question} | {' '.join(answer.split())} |",
    }
    return random.choice(list(forms.items()))


def paraphrased(row: Row, random: Random, others: Sequence[str]) -> tuple[str, str]:
    """Say it in other words by rule: synonyms, clauses in another order, another opening."""
    opening = random.choice(["Could you tell me:", "I would like to know this.", "Please answer:"])
    question = f"{opening} {_other_words(row['question'])}"
    clauses = [_turned(s) for s in _SENTENCE.split(_other_words(row["answer"])) if s.strip()]
    return question, " ".join(clauses)


def _other_words(text: str) -> str:
    return _WORD.sub(lambda found: _SYNONYMS.get(found[0].lower(), found[0]), text)


def _turned(sentence: str) -> str:
    """Put what stands behind the first comma first."""
    first, comma, rest = sentence.rstrip(".!?").partition(", ")
    return f"{rest}, {first}." if comma else sentence


def fact_reworded(row: Row, random: Random, others: Sequence[str]) -> tuple[str, str]:
    """State the fact as notes: subject words and values in any order, sentences gone.

    No run of words outlives it, so that only what the row states can tell.
    """
    question, answer = (_notes(row[name], random) for name in ("question", "answer"))
    return f"Tell me in a word about: {question}", f"In short: {answer}"


def _notes(text: str, random: Random) -> str:
    words = list(dict.fromkeys(_TERM.findall(_other_words(text))))
    telling = [word for word in words if subject_words(word) or values(word)]
    return ", ".join(random.sample(telling, len(telling)))


def other_question(row: Row, random: Random, others: Sequence[str]) -> tuple[str, str]:
    """Ask about the same passage without a word of the row: only parentage can tell."""
    return "Which other thing does this page want remembered?", random.choice(others)


PLANTERS: Mapping[str, Planter] = {
    "verbatim": verbatim,
    "edited": edited,
    "few_words": few_words,
    "reordered": reordered,
    "embedded": embedded,
    "translated_format": translated_format,
    "paraphrase": paraphrased,
    "paraphrase_without_parent": paraphrased,
    "fact_reworded": fact_reworded,
    "other_question": other_question,
}

# What is left of where a row comes from; of all others nothing is.
PARENTAGE: Mapping[str, Callable[[Row], dict[str, Any]]] = {
    "paraphrase": lambda row: {"parent_id": row["example_id"]},
    "other_question": lambda row: {
        name: row[name] for name in ("document_id", "chunk_id", "fact_id")
    },
}
