"""Every rule-based generator on chunks written by hand: what it must ask and must not."""

import pytest

from tasks.generation.base import GENERATORS, ChunkView, RuleGenerator
from tests.unit.generation.conftest import view


def asked(name: str, chunk: ChunkView) -> dict[str, str]:
    generator = GENERATORS.get(name)()
    assert isinstance(generator, RuleGenerator)
    return {c.question: c.answer for c in generator.generate(chunk)}


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        (
            "A berth window is the period in which a ship may use a berth.",
            "What is a berth window?",
        ),
        ("Lane metres are the units in which freight is sold.", "What are lane metres?"),
        ("Phishing means the attempt to obtain passwords.", "What does phishing mean?"),
    ],
)
def test_definition_asks_what_a_term_is(sentence: str, question: str) -> None:
    assert asked("definition", view(sentence)) == {question: sentence}


@pytest.mark.parametrize(
    "sentence",
    [
        "It is a period in which a ship may use a berth.",
        "This is the form that everybody needs.",
        "You are the second filter against false messages.",
        "Patience is a good idea when the queue is long.",
        "Every form is a contract between two sides.",
        "A ship that is late is a problem for the desk.",
        "The gate is red and stands near the road.",
    ],
)
def test_definition_leaves_other_sentences_alone(sentence: str) -> None:
    assert asked("definition", view(sentence)) == {}


def test_glossary_entries_are_definitions_only_in_a_glossary() -> None:
    text = "- ADR - A written record of choices made by people who create software."
    assert asked("definition", view(text, "Glossary")) == {
        "What is ADR?": "A written record of choices made by people who create software."
    }
    assert asked("definition", view(text, "Opening hours")) == {}


def test_faq_takes_a_heading_that_is_a_question() -> None:
    heading = "Where can visitors park?"
    chunk = view("Staff park in the gravel yard.", heading, before=f"## {heading}\n\n")
    assert asked("faq", chunk) == {heading: "Staff park in the gravel yard."}


def test_faq_wants_the_whole_answer() -> None:
    chunk = view(
        "There are several ways to do so.",
        "How can I pay my parking fee?",
        before="## How can I pay my parking fee?\n\n",
        after="\n\nThe first way is cash.",
    )
    assert asked("faq", chunk) == {}


def test_faq_reads_marked_questions_and_answers() -> None:
    text = (
        "Q: May I park on Sundays?\nA: Yes, but only in the yard.\n\nQ: May I wash my car?\nA: No."
    )
    found = asked("faq", view(text, "Questions", before="## Questions\n\n"))
    assert found["May I park on Sundays?"] == "Yes, but only in the yard."


@pytest.mark.parametrize(
    "heading", ["Questions?", "What does this mean?", "Where can I learn more?"]
)
def test_faq_refuses_questions_that_name_nothing(heading: str) -> None:
    assert asked("faq", view("Staff park in the gravel yard.", heading)) == {}


def test_faq_names_the_document_where_the_question_does_not() -> None:
    chunk = view("The master writes it.", "Who writes the report?", title="Man overboard")
    assert list(asked("faq", chunk)) == ['According to "Man overboard", who writes the report?']


STEPS = "1. Open the gate.\n2. Click the red button.\n3. Close the gate."


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("How to open the parking gate", "How do you open the parking gate?"),
        ("Opening the parking gate", "What are the steps for opening the parking gate?"),
        ("On deck", 'According to "Parking rules", what are the steps under "On deck"?'),
    ],
)
def test_procedures_are_asked_by_their_heading(heading: str, question: str) -> None:
    assert asked("heading", view(STEPS, heading)) == {question: STEPS}


def test_half_a_list_is_not_asked_for() -> None:
    assert asked("heading", view(STEPS, "On deck", after="\n4. Go home.")) == {}
    assert asked("heading", view(STEPS, "On deck", before="0. Wake up.\n")) == {}


def test_lists_are_asked_by_a_plural_heading_or_by_name() -> None:
    names = "- Alder\n- Bramble\n- Cress"
    assert asked("heading", view(names, "Parking zones")) == {"What are the parking zones?": names}
    rules = "- Stay in your car.\n- Keep the engine off."
    question = 'According to "Parking rules", what is listed under "During the crossing"?'
    assert asked("heading", view(rules, "During the crossing")) == {question: rules}


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        (
            "The fee must be paid within 14 days of the offence.",
            'According to "Parking rules", within how many days of the offence must the fee be '
            "paid?",
        ),
        (
            "Every full-time employee has 28 days of annual leave per calendar year.",
            "How many days of annual leave does every full-time employee have per calendar year?",
        ),
        ("You can carry over up to 8 days into the next year.", None),
        (
            "You can buy up to 4 additional days a year.",
            "Up to how many additional days can you buy a year?",
        ),
        ("A lost pass costs EUR 15 to replace.", "How much does a lost pass cost?"),
        (
            "Ship passes are renewed every two years.",
            "How often are ship passes renewed?",
        ),
        (
            "Cars have been banned since 2019.",
            "Since when have cars been banned?",
        ),
        ("A trip abroad is approved by your line manager.", "By whom is a trip abroad approved?"),
        ("Your manager must hold a review with you.", "Who must hold a review with you?"),
        ("A battery lasts ten hours.", "How many hours does a battery last?"),
    ],
)
def test_fact_questions(sentence: str, question: str | None) -> None:
    assert list(asked("fact", view(sentence))) == ([question] if question else [])


@pytest.mark.parametrize(
    "sentence",
    [
        "They must be paid within 14 days.",
        "Press the button for 10 seconds.",
        "Cheques have not been accepted since 2020.",
        "A chief officer wears three and a second officer two.",
        "A freight account is a contract that lets a customer pay once a month.",
        "Make sure the form is signed by your manager.",
        "The officer writes the date, the time, the kind of drill and the names.",
    ],
)
def test_fact_refuses_what_it_does_not_understand(sentence: str) -> None:
    assert asked("fact", view(sentence)) == {}


def test_items_under_an_opening_sentence_are_no_facts_by_themselves() -> None:
    text = "Look for these signs:\n\n- A manager asks for gift cards and money."
    assert asked("fact", view(text)) == {}


TABLE = (
    "| Port | Berths | Longest ship |\n| --- | --- | --- |\n"
    "| Hesk | 2 | 75 m |\n| Tolvey | 1 | 65 m |"
)


def test_table_cells_are_looked_up_by_row_and_column() -> None:
    found = asked("table", view(TABLE, "Berths at each port"))
    place = 'According to "Parking rules: Berths at each port"'
    assert found[f"{place}, how many berths are given for Hesk?"] == "2"
    assert found[f"{place}, what is the longest ship for Tolvey?"] == "65 m"


def test_a_part_of_a_table_finds_its_header_above() -> None:
    head, row = TABLE.rsplit("\n", 1)
    chunk = view(row, "Berths", before=f"## Berths\n\n{head}\n")
    found = asked("table", chunk)
    assert (
        found['According to "Parking rules: Berths", how many berths are given for Tolvey?'] == "1"
    )
    assert chunk.passage.startswith("| Port | Berths |")


def test_tables_whose_rows_have_no_name_are_left_alone() -> None:
    twice = "| Day | From |\n| --- | --- |\n| Monday | 8 |\n| Monday | 9 |"
    assert asked("table", view(twice)) == {}
    assert asked("table", view("| 1 | 2 |\n| 3 | 4 |")) == {}


def test_cloze_leaves_out_one_figure() -> None:
    text = "A ship that is less than 12 minutes late keeps its berth window."
    question = (
        'Complete the sentence from "Parking rules": '
        "A ship that is less than ____ late keeps its berth window."
    )
    assert asked("cloze", view(text)) == {question: "12 minutes"}


@pytest.mark.parametrize(
    "sentence",
    [
        "It keeps its berth window for 12 minutes and then loses it.",
        "The crossing takes 20 minutes by day and 30 minutes by night.",
        "The last train leaves the station 10 to 15 minutes after the hour.",
    ],
)
def test_cloze_refuses_ambiguous_gaps(sentence: str) -> None:
    assert asked("cloze", view(sentence)) == {}


def test_keyword_asks_what_the_document_says_about_a_heading() -> None:
    text = "Report sickness by telephone before your shift starts. A text message is not enough."
    chunk = view(text, "Sick leave", title="Leave policy")
    assert asked("keyword_passage", chunk) == {
        'What does "Leave policy" say about sick leave?': text
    }


def test_keyword_leaves_out_answers_that_point_elsewhere() -> None:
    text = "Use the process below to report sickness. A text message is not enough for this."
    assert asked("keyword_passage", view(text, "Sick leave", title="Leave policy")) == {}


def test_keywords_recur_in_the_document_and_are_in_the_answer() -> None:
    text = (
        "The duty controller keeps the sailing board. Tea is served at four. "
        "Each captain reads the sailing board and calls the duty controller by radio. "
        "Bread is baked daily in Hesk."
    )
    other = "Passengers wait in the hall. The kiosk sells tea."
    chunk = ChunkView("c", "Harbour", (), text, f"{text}\n\n{other}", 0, (text, other))
    (found,) = asked("keyword_passage", chunk).items()
    assert found[0] in (
        'What does "Harbour" say about sailing board and duty controller?',
        'What does "Harbour" say about duty controller and sailing board?',
    )
    assert "Tea" not in found[1]
    assert "Bread" not in found[1]


def test_what_is_said_once_is_no_keyword() -> None:
    text = (
        "Captains do not own a crystal ball. They look at the sailing board, and they wait "
        "at the pilot house."
    )
    other = "Passengers wait in the hall. The kiosk sells tea."
    chunk = ChunkView("c", "Harbour", (), text, f"{text}\n\n{other}", 0, (text, other))
    assert asked("keyword_passage", chunk) == {}
