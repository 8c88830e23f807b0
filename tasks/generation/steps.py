"""What makes a list a procedure, and how one asks for what a heading calls a task."""

import re

from tasks.generation.base import ChunkView
from tasks.generation.grammar import base_of_gerund
from tasks.generation.lists import ListRun
from tasks.generation.sections import is_evenly_cased, spoken
from tasks.generation.vocabulary import is_order, word_set
from tasks.generation.wording import choose, content_words

_HOW_TO = re.compile(r"^How to (?P<rest>\w.+)$", re.IGNORECASE)
_GERUND = re.compile(r"^(?P<verb>[A-Z][a-z]+ing) (?P<rest>\w.*)$")
_STEPS_TO = re.compile(r"^(?:Steps|Instructions|Procedure) (?:to|for) (?P<rest>\w.+)$")

# Words that order something at the head of a heading less often than they name it.
_ALSO_NOUNS = word_set(
    "leave require consider work test report store search contact review plan note guide travel "
    "transport place post press use cost control cause help support document list offer need open "
    "set start stop share access record schedule check view change order process request point "
    "address log sign file point run show talk treat track update pull push request step name time "
    "map patch fork build release deploy match return visit email"
)
# Headings that are sentences, or name more than one thing.
_NO_TASK = re.compile(r'[?",(]|\b(?:and \w+ing|is|are|does|do|not|has|have|can|must)\b')
_NUMBERED = re.compile(r"^Step \d+\s*[-–—:.]?\s*")

# Verbs of the first thing done at a screen or a counter.
_CONTROLS = word_set("go click log login open visit select navigate sign choose enter start press")

# Verbs of what one can or must do, said to or of a person.
_ALLOWS = re.compile(
    r"\b(?:you|users?|staff|employees?|members?|supervisors?|managers?|anyone)\b[^.]*?"
    r"\b(?:can|must|should|need|may|have to)\b",
    re.IGNORECASE,
)

# Headings of numbered lists that order something without being steps.
_AIMS = re.compile(
    r"\b(?:objectives?|goals?|principles|values|priorities|responsibilities|tips|rules|practices|"
    r"recommendations|duties|policy|policies|guidelines|requirements|criteria|reasons|options|"
    r"tasks|exercises?|ideas|standards)\b",
    re.IGNORECASE,
)
_OBJECT = re.compile(r"^(?:an?|the|your|our|all|any|each|every|new|[a-z]*ed)\b", re.IGNORECASE)

# Adverbs and conditions that may stand before a step's order.
_BEFORE_ORDER = re.compile(
    r"^(?:(?:first|then|next|finally|now|optional(?:ly)?|also|please|once|if|when|after|before|"
    r"in|on|under|from|to|at|for|using|within)\b[^,:]*[,:] |please |then |now |optional: )+",
    re.IGNORECASE,
)


def is_step(text: str) -> bool:
    """Whether an item is an order, or begins with a time of day."""
    bare = _BEFORE_ORDER.sub("", text)
    return is_order(bare) or is_order(text) or re.match(r"\d\d?[:.]\d\d", text) is not None


def is_procedure(run: ListRun) -> bool:
    """Whether a numbered list consists of steps, or nearly."""
    steps = sum(is_step(item.text) for item in run.items)
    return run.ordered and steps >= 0.6 * len(run.items)


def names_aims(heading: str) -> bool:
    """Whether a heading says that what it numbers are no steps."""
    return _AIMS.search(heading) is not None


def is_task(chunk: ChunkView, run: ListRun) -> bool:
    """Whether a list without numbers tells how to do what its heading says."""
    first = run.items[0].text.split(" ", 1)[0].lower()
    orders = all(is_step(item.text) for item in run.items)
    return not run.ordered and orders and first in _CONTROLS and task_of(chunk) is not None


def task_of(chunk: ChunkView) -> str | None:
    """Return what a heading says is done, as a verb with its object, or None for no task."""
    heading = _NUMBERED.sub("", chunk.heading.rstrip(".:!"))
    words = heading.split()
    if (
        not 2 <= len(words) <= 12
        or words[0].lower() in ("don't", "don’t", "never")
        or re.search(r'[?",(]|\b(?:and \w+ing|is|are|does|do|not|has|have|can|must)\b', heading)
    ):
        return None
    told = _HOW_TO.match(heading) or _STEPS_TO.match(heading)
    said = spoken(told["rest"] if told else heading, chunk.document)
    if told or _GERUND.match(heading):
        task = _to_infinitive(said)
    else:
        task = said if is_order(heading) and _has_object(words) else None
    small = task[0].lower() + task[1:] if task else None
    said_enough = small is not None and len(content_words(small) - {"get", "started"}) > 1
    return small if small and said_enough and is_evenly_cased(small) else None


def _has_object(words: list[str]) -> bool:
    """Whether a verb is followed by what it acts on; "Leave types" only looks as if it were."""
    if words[0].lower() in _ALSO_NOUNS:
        return len(words) > 2 and _OBJECT.match(words[1]) is not None
    return words[1].lower() != "of"


def _to_infinitive(phrase: str) -> str | None:
    first, _, rest = phrase.partition(" ")
    if first.lower().endswith("ing"):
        base = base_of_gerund(first)
        return f"{base} {rest}" if is_order(base) else None
    return phrase[0].lower() + phrase[1:] if is_order(first) else None


def orders(text: str) -> bool:
    """Whether a sentence orders something, or names the means of doing it."""
    bare = _BEFORE_ORDER.sub("", text)
    words = bare.split()
    ordered = is_step(bare) and len(words) > 2 and _has_object(words)
    return ordered or re.search(r"\bby \w+ing\b", text) is not None


def instructs(text: str) -> bool:
    """Whether a sentence orders something, or says what one can or must do."""
    return orders(text) or _ALLOWS.search(text) is not None


def ask_how(task: str, key: str) -> str:
    """Return the question how a task is done."""
    return choose(
        key,
        f"how do I {_mine(task)}?",
        f"how do you {task}?",
        f"how can I {_mine(task)}?",
    )


def _mine(task: str) -> str:
    task = re.sub(r"\byour\b", "my", task)
    return re.sub(r"\byourself\b", "myself", re.sub(r"\byou\b", "I", task))
