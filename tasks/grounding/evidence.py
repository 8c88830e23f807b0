"""Does the passage answer this question with this answer?

Where the answer stands, the question's words must stand as well: in the same sentence, in
the list's opening or the table's header, beside it, or in the headings.
"""

from collections.abc import Sequence

from tasks.grounding.claims import content_sequence, stem
from tasks.grounding.questions import without_source
from tasks.grounding.units import Passage, Unit
from tasks.text.words import word_set

# Share of the answer's words that makes a unit one of its sources.
_IS_SOURCE = 0.5

# A passage's best place for the question, against the answer's own, before we speak up.
_MARGIN = 1.25

_ASKING = frozenset(
    map(stem, word_set("according say says page complete sentence table mean stand"))
)


def relevance(question: str, answer: str, passage: Passage) -> float:
    """Return how well the answer's place in the passage fits the question, 0 to 1.

    1 means that no other place holds more of the question's words. A question whose words
    are all in the headings fits everywhere.
    """
    asked = frozenset(content_sequence(question)) - _ASKING
    titled = frozenset(content_sequence(passage.title))
    sources = _sources(frozenset(content_sequence(answer)), asked, passage)
    if not sources or not asked:
        return 1.0
    wanted = asked - titled
    fits = [passage.weight(wanted & unit.words) for unit in passage.units]
    own = max(_with_neighbours(position, wanted, passage) for position in sources)
    best = max(fits, default=0.0)
    return min(1.0, own * _MARGIN / best) if best else 1.0


def wrong_column(question: str, answer: str, passage: Passage) -> str | None:
    """Return the column that an answer was taken from when the question names another one."""
    question = without_source(question)
    asked = set(content_sequence(question))
    told = content_sequence(answer)
    rows = [unit for unit in passage.units if unit.header]
    best = max((passage.weight(asked & u.own_words) for u in rows), default=0.0)
    for row in rows:
        columns = [n for n, cell in enumerate(row.cells) if content_sequence(cell) == told]
        if not told or not columns or passage.weight(asked & row.own_words) < best:
            continue
        shares = [_named(name, question, asked) for name in row.header]
        if max(shares[n] for n in columns) < max(shares) == 1.0:
            return row.header[columns[0]]
    return None


def is_cell_beside(question: str, answer: str, passage: Passage) -> bool:
    """Whether the answer is a table's cell, and another cell of its row stands in the question."""
    told, asked = content_sequence(answer), " ".join(content_sequence(question))
    for row in passage.units:
        cells = [content_sequence(cell) for cell in row.cells]
        others = [cell for cell in cells if cell and cell != told]
        if told in cells and any(" ".join(cell) in asked for cell in others):
            return True
    return False


def _named(column: str, question: str, asked: set[str]) -> float:
    """Return how much of a column's name the question says, 0 to 1."""
    words = set(content_sequence(column))
    if f'"{column}"' in question:  # "Why" has no word that carries meaning
        return 1.0
    return len(words & asked) / len(words) if words else 0.0


def _sources(words: frozenset[str], asked: frozenset[str], passage: Passage) -> Sequence[int]:
    """Return the units that hold much of the answer.

    What the question says already, such as the term of a definition, the answer may leave out.
    """
    shares = [
        (len(words & own) / max(1, min(len(words), len(own - (asked - words)))), position)
        for position, unit in enumerate(passage.units)
        if (own := unit.own_words)
    ]
    best = max((share for share, _ in shares), default=0.0)
    return [position for share, position in shares if share >= max(_IS_SOURCE, 0.9 * best)]


def _with_neighbours(position: int, wanted: frozenset[str], passage: Passage) -> float:
    """Return what a unit holds of the question, with the unit before it at half its weight."""
    unit = passage.units[position]
    own = wanted & unit.words
    before: Unit | None = passage.units[position - 1] if position else None
    further = (wanted & before.words) - own if before else frozenset()
    return passage.weight(own) + 0.5 * passage.weight(further)
