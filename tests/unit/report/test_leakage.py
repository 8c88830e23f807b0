from hypothesis import given
from hypothesis import strategies as st

from tasks.report.leakage import mark_shared

TEXT = st.text(st.sampled_from("ab cd.\n<&>É"), max_size=60)


@given(TEXT, TEXT)
def test_marking_changes_no_text(left: str, right: str) -> None:
    first, second = mark_shared(left, right)
    assert "".join(text for _, text in first) == left
    assert "".join(text for _, text in second) == right


def test_shared_runs_are_marked_wherever_they_stand() -> None:
    left, right = mark_shared("Now THE old ship sails on.", "We saw it: the old, ship sails.")
    assert left == [(False, "Now "), (True, "THE old ship sails"), (False, " on.")]
    assert right == [(False, "We saw it: "), (True, "the old, ship sails"), (False, ".")]


def test_two_words_in_common_are_not_marked_in_longer_texts() -> None:
    left, _ = mark_shared("the ship sails today", "the ship sank long ago")
    assert left == [(False, "the ship sails today")]
