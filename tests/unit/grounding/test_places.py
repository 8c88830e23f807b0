"""What hangs on where a passage says something: slots, columns, roles, steps, relevance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.grounding.evidence import relevance, wrong_column
from tasks.grounding.judge import judge
from tasks.grounding.order import disordered_steps, swapped_roles
from tasks.grounding.slots import exchanged
from tasks.grounding.units import parse_passage

RULES = (
    "Every member of staff has 28 days of annual leave. A request for more than 15 days must be "
    "approved by the port manager. The harbour desk opens on 3 March. Visitors may park behind "
    "the net loft. All lamps are tested before each sailing and the horn is always sounded."
)
TABLE = (
    "| Ship | Cars | Passengers |\n| --- | --- | --- |\n"
    "| Saint Aldra | 56 | 390 |\n| Gannet Rose | 44 | 310 |"
)
STEPS = "1. Close the valve.\n2. Drain the pump.\n3. Remove the cover."


def reason(question: str, answer: str, passage: str = RULES) -> str | None:
    return judge(question, answer, passage, ("Port rules",), 0.75).reason


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("How many days of annual leave does staff have?", "28 days", None),
        ("How many days of annual leave does staff have?", "15 days", "detail_mismatch"),
        ("May visitors park behind the loft?", "Visitors may park behind the net loft.", None),
        (
            "May visitors park behind the loft?",
            "Visitors must park behind the net loft.",
            "detail_mismatch",
        ),
        (
            "Which lamps are tested?",
            "Some lamps are tested before each sailing.",
            "detail_mismatch",
        ),
        ("Which lamps are tested?", "All lamps are tested after each sailing.", "detail_mismatch"),
        ("Which lamps are tested?", "Before each sailing, all lamps are tested.", None),
        (
            "Is the horn sounded?",
            "Yes. The horn is sometimes sounded before sailing.",
            "detail_mismatch",
        ),
        ("Who approves a request for more than 15 days?", "The port manager", None),
        ("What is tested before each sailing?", "Behind the net loft", "unanswered"),
    ],
)
def test_an_answer_must_fill_its_slots_as_the_passage_does(
    question: str, answer: str, expected: str | None
) -> None:
    assert reason(question, answer) == expected


@pytest.mark.parametrize(
    ("wording", "same"),
    [("no fewer than 20", True), ("at least 20", True), ("no more than 20", False)],
)
def test_bounds_in_other_words(wording: str, same: bool) -> None:
    passage = "The tank holds at least 20 litres of fuel."
    answer = f"The tank holds {wording} litres of fuel."
    assert (reason("How much fuel does the tank hold?", answer, passage) is None) == same


def test_a_cell_of_another_column_or_row_is_no_answer() -> None:
    question = "How many cars are given for Gannet Rose?"
    assert wrong_column(question, "44", parse_passage(TABLE)) is None
    assert wrong_column(question, "310", parse_passage(TABLE)) == "Passengers"
    assert reason(question, "44", TABLE) is None
    assert reason(question, "310", TABLE) == "unanswered"
    assert reason(question, "56", TABLE) == "detail_mismatch"


def test_swapped_roles_are_found_and_the_passive_is_not_one() -> None:
    passage = parse_passage("The purser informs the night manager.")
    assert swapped_roles("The night manager informs the purser.", passage) is not None
    assert swapped_roles("The night manager is informed by the purser.", passage) is None
    assert swapped_roles("The purser informs the night manager.", passage) is None


@given(st.permutations(STEPS.split("\n")))
def test_steps_pass_only_in_the_order_of_the_passage(steps: list[str]) -> None:
    answer = "\n".join(f"{n}. {step.split(' ', 1)[1]}" for n, step in enumerate(steps, 1))
    found = disordered_steps(answer, STEPS.replace("\n", " "))
    assert (found is None) == (steps == STEPS.split("\n"))


def test_the_answer_to_another_question_is_not_relevant() -> None:
    passage = parse_passage(RULES)
    asked = "Where may visitors park?"
    assert relevance(asked, "behind the net loft", passage) == 1.0
    assert relevance(asked, "28 days of annual leave", passage) < 0.5


@given(st.sampled_from(RULES.split(". ")))
def test_what_the_passage_says_is_never_exchanged(sentence: str) -> None:
    assert exchanged("What is the rule?", sentence, parse_passage(RULES)) is None


def test_a_question_that_the_passage_asks_itself_leads_to_its_answer() -> None:
    passage = "Q: Where can I park?\n\nA: Behind the loft.\n\nQ: Is there a canteen?\n\n"
    passage += "A: Yes, on the ground floor."
    assert reason("Is there a canteen?", "Yes, on the ground floor.", passage) is None
    assert relevance("Is there a canteen?", "Behind the loft.", parse_passage(passage)) < 0.9


def test_swapped_steps_are_a_reason_to_drop() -> None:
    question = 'What are the steps under "Pump repair"?'
    swapped = "1. Drain the pump.\n2. Close the valve.\n3. Remove the cover."
    assert reason(question, STEPS, f"Pump repair\n\n{STEPS}") is None
    assert reason(question, swapped, f"Pump repair\n\n{STEPS}") == "order_mismatch"


def test_a_clause_left_out_takes_its_negation_along() -> None:
    passage = "Staff meals in the canteen cost three euro on weekdays, not on holidays."
    question = "What do staff meals cost?"
    shortened = "Staff meals in the canteen cost three euro on weekdays."
    assert reason(question, shortened, passage) is None
    wrong = "Staff meals in the canteen cost three euro on weekdays, on holidays."
    assert reason(question, wrong, passage) == "negation_mismatch"


TRAVEL = (
    "- Apron: The hinged flap at the end of a linkspan. It rests on the bow of a ship.\n"
    "- Award: The end of a procurement, when one vendor has been chosen.\n"
)
SNAKES = "Cats travel anywhere. Snakes travel only in the car, in a closed box."
TASKS = (
    "| Action | Owner | Why |\n| --- | --- | --- |\n"
    "| Purser checks the lists | Purser | the port asks for them |\n"
    "| Mate closes the doors | Mate | no car may roll |\n"
)


@pytest.mark.parametrize(
    ("question", "answer", "passage"),
    [
        # a definition whose second sentence does not repeat the term
        (
            'What is meant by "Apron"?',
            "The hinged flap at the end of a linkspan. It rests on the bow of a ship.",
            TRAVEL,
        ),
        # the title holds the answer, the question does not
        (
            'According to "The role of the purser", who keeps the lists?',
            "The purser keeps the lists.",
            "The purser keeps the lists and the keys.",
        ),
        (
            'Fill in the gap, going by "Software under $10,000": see the rules for ____.',
            "$10,000",
            "For more see the rules for $10,000.",
        ),
        # a cell that the row's name begins with
        ('What is the owner for "Purser checks the lists"?', "Purser", TASKS),
        # a column whose name is an empty word, under a title that names another column
        (
            'According to "Every action", what stands under "Why" for "Mate closes the doors"?',
            "no car may roll",
            TASKS,
        ),
        # the title asks for a number, the question does not
        ('In "How many lists", what is the owner for "Mate closes the doors"?', "Mate", TASKS),
        # a statement before the question
        ("I have lost my key. What now?", "Go to the purser.", "Go to the purser."),
        # a colon is an end on both sides
        (
            "Who may refuse?",
            "Nobody is forced: a person who is not well may refuse.",
            "Nobody is forced: a person who is not well may refuse.",
        ),
        ('Summarise "The lists".', "The purser keeps the lists.", "The purser keeps the lists."),
    ],
)
def test_right_rows_pass(question: str, answer: str, passage: str) -> None:
    titles = ("The role of the purser", "Software under $10,000", "Every action", "How many lists")
    assert judge(question, answer, passage, titles, 0.75).reason is None


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Snakes travel in the car, in a closed box.", "detail_mismatch"),
        ("Snakes travel only in the car, in a closed box.", None),
        ("In a closed box.", None),  # too short a part of it to say more than it did
    ],
)
def test_a_restriction_left_out_says_too_much(answer: str, found: str | None) -> None:
    assert reason("How do snakes travel?", answer, SNAKES) == found


def test_an_answer_that_the_row_names_is_no_answer_from_another_row() -> None:
    assert reason('What is the owner for "Mate closes the doors"?', "Mate closes", TASKS) == (
        "answer_in_question"
    )
