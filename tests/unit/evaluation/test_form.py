import pytest

from tasks.evaluation.form import form_of, keeps_form

STEPS = "1. Open the valve.\n2. Drain the line."
BULLETS = "The crew:\n- two engineers\n- three deck hands"
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"


@pytest.mark.parametrize(
    ("reference", "kind", "form"),
    [
        ("Yes. It floats.", "yes_no", "yes_no"),
        ("Nein, erst ab Montag.", "fact", "yes_no"),
        ("B", "multiple_choice", "choice"),
        ('{"name": "Ada"}', "fact", "json"),
        ("```json\n[1, 2]\n```", "fact", "json"),
        (STEPS, "procedure", "steps"),
        (BULLETS, "list", "bullets"),
        (TABLE, "table", "table"),
        ("2 November 2025", "cloze", "value"),
        ("It floats.", "fact", None),
        ("The work needs two engineers and three deck hands.", "faq", None),
        ("- one item alone is a dash, and no list of several things", "faq", None),
    ],
)
def test_the_form_is_read_off_the_reference(reference: str, kind: str, form: str | None) -> None:
    assert form_of(reference, kind) == form
    assert keeps_form(reference, reference, kind) is (None if form is None else True)


@pytest.mark.parametrize(
    ("answer", "reference", "kind", "kept"),
    [
        ("No, it sinks.", "Yes. It floats.", "yes_no", True),
        ("It sinks.", "Yes. It floats.", "yes_no", False),
        ("", "Yes.", "yes_no", False),
        ("C) blue", "B) red", "multiple_choice", True),
        ("Certainly red", "B) red", "multiple_choice", False),
        ('{"name": "Bob", "age": 3}', '{"name": "Ada"}', "x", True),
        ('{"age": 3}', '{"name": "Ada"}', "x", False),
        ('[{"name": "Ada"}]', '{"name": "Ada"}', "x", False),
        ('{"name": "Ada"', '{"name": "Ada"}', "x", False),
        ("1) Close it.\n2) Go.\n3) Rest.", STEPS, "procedure", True),
        ("- Close it.\n- Go.", STEPS, "procedure", False),
        ("Close it. Then go.", STEPS, "procedure", False),
        ("1. Close it.", STEPS, "procedure", False),
        ("3 May 2024", "2 November 2025", "cloze", True),
        ("It was on a day in November.\nThe next day it rained.", "2 November 2025", "x", False),
        ("", "2 November 2025", "cloze", False),
    ],
)
def test_an_answer_keeps_the_form_or_not(
    answer: str, reference: str, kind: str, kept: bool
) -> None:
    assert keeps_form(answer, reference, kind) is kept
