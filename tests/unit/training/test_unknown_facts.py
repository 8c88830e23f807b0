"""The page on unknown facts says what held, and its facts are apart."""

import pytest

from benchmarks.unknown_facts import PASSES, TRAINED, Sets, claims, divided, render
from tasks.selection.known import Fact

FACTS = [Fact(f"f{number}", f"Question {number}?", "answer") for number in range(150)]
CLASSES = {
    fact.fact_id: ["HighlyKnown", "MaybeKnown", "Unknown"][number % 3]
    for number, fact in enumerate(FACTS)
}


def answers(known: int, unknown: int, held_out: int) -> dict[str, list[bool]]:
    """Return answers of which so many are right."""
    sizes = {"known": (known, TRAINED), "unknown": (unknown, TRAINED), "held_out": (held_out, 60)}
    return {name: [place < right for place in range(of)] for name, (right, of) in sizes.items()}


def test_what_is_asked_only_is_known_and_never_trained_on() -> None:
    sets = divided(FACTS, CLASSES)
    trained = {fact.fact_id for fact in [*sets.known, *sets.unknown]}
    assert len(sets.known) == len(sets.unknown) == TRAINED
    assert {CLASSES[fact.fact_id] for fact in sets.unknown} == {"Unknown"}
    assert not trained & {fact.fact_id for fact in sets.held_out}
    assert "Unknown" not in {CLASSES[fact.fact_id] for fact in sets.held_out}
    with pytest.raises(ValueError, match="knows 20"):
        divided(FACTS[:30], CLASSES)


def test_what_held_follows_from_the_figures() -> None:
    found = {"base": answers(20, 0, 40)}
    found |= {f"known, {passes}": answers(38, 0, 40) for passes in PASSES}
    found |= {"unknown, few": answers(10, 5, 38), "unknown, many": answers(5, 39, 12)}
    slower, dearer, late = claims(found)
    assert slower.endswith("held.") and dearer.endswith("held.") and late.endswith("held.")
    found["unknown, many"] = answers(5, 39, 39)
    assert [line.endswith("not told from chance.") for line in claims(found)] == [False, True, True]
    page = render(found, CLASSES, Sets(FACTS[:40], FACTS[40:80], FACTS[80:140]))
    assert "| unknown, many | 98% | 65% |" in page and "50 HighlyKnown" in page
