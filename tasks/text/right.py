"""Whether an answer in other words says what its reference says."""

from tasks.text.facts import facts
from tasks.text.normalise import normalise

# Share of the reference's words: `selection.known.min_recall` has it as its default too.
MIN_RECALL = 0.8


def is_right(answer: str, reference: str, min_recall: float = MIN_RECALL) -> bool:
    """Whether an answer holds enough of a reference's words, and all of its numbers.

    The facts of Gekhman et al. (2024) have answers of one name and are compared exactly; answers
    from documents are phrases and sentences, and a model words them its own way.
    """
    wanted, given = normalise(reference).split(), set(normalise(answer).split())
    if not wanted:
        return False
    numbers = {fact for fact in facts(reference) if any(map(str.isdigit, fact))}
    return numbers <= given and sum(word in given for word in wanted) >= min_recall * len(wanted)
