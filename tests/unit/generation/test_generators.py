"""Every rule-based generator on chunks written by hand: what it must ask and must not."""

import re

import pytest

from tasks.generation.base import GENERATORS, ChunkView, RuleGenerator
from tests.unit.generation.conftest import view


def named(name: str, chunk: ChunkView) -> dict[str, str]:
    """Questions and answers of a generator."""
    generator = GENERATORS.get(name)()
    assert isinstance(generator, RuleGenerator)
    return {c.question: c.answer for c in generator.generate(chunk)}


def bare(question: str) -> str:
    """A question without the document that it names at its head."""
    text = re.sub(r'^(?:According to|In) "[^"]*", ', "", question)
    return text[0].upper() + text[1:]


def asked(name: str, chunk: ChunkView) -> dict[str, str]:
    """Questions, without the document they name, and answers of a generator."""
    return {bare(question): answer for question, answer in named(name, chunk).items()}


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


def test_a_term_of_the_document_alone_is_asked_with_its_document() -> None:
    (question,) = named("definition", view("A berth is the place where a ship lies."))
    assert '"Parking rules"' in question
    (question,) = named("definition", view("A parking disc is a paper that shows the hour."))
    assert question == "What is a parking disc?"


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
        "Varnsey is a cost-recoverable organisation.",
        "Creative tension is a feature of teams with many trades.",
        "The name is the abbreviation for two streets that meet.",
        "The first part is the path to the image on the disk.",
        "Oct 5 is a Monday with the public meeting of all teams.",
        "Remember a review is a discussion that is held by many people.",
        "Ulsk is a reserve for birds, and dogs and cats are banned there.",
        "The purser is the member of crew who keeps the cash on board.",
    ],
)
def test_definition_leaves_other_sentences_alone(sentence: str) -> None:
    assert asked("definition", view(sentence)) == {}


def test_glossary_entries_are_definitions_only_in_a_glossary() -> None:
    text = "- ADR - A written record of choices made by people who create software."
    (question,) = asked("definition", view(text, "Glossary"))
    assert question in (
        'What does "ADR" mean?',
        'What is meant by "ADR"?',
        'How is "ADR" defined?',
    )
    assert asked("definition", view(text, "Opening hours")) == {}


def test_faq_takes_a_heading_that_is_a_question() -> None:
    heading = "Where can visitors park?"
    chunk = view("Staff park in the gravel yard.", heading, before=f"## {heading}\n\n")
    assert asked("faq", chunk) == {heading: "Staff park in the gravel yard."}


def test_faq_wants_the_whole_answer() -> None:
    heading = "How can I pay my parking fee?"
    before, text = f"## {heading}\n\n", "There are several ways to do so."
    assert asked("faq", view(text, heading, before=before, after="\n\nThe first is cash.")) == {}
    assert asked("faq", view(text, heading, before=before, after="\n\n### Cash\n\nPay it.")) == {}
    assert asked("faq", view(text, heading, before=before, after="\n\n## Fines\n\nPay."))


def test_faq_reads_marked_questions_and_answers() -> None:
    text = (
        "Q: May I park on Sundays?\nA: Yes, but only in the yard.\n\nQ: May I wash my car?\nA: No."
    )
    found = asked("faq", view(text, "Questions", before="## Questions\n\n"))
    assert found["May I park on Sundays?"] == "Yes, but only in the yard."


@pytest.mark.parametrize(
    "heading",
    [
        "Questions?",
        "What does this mean?",
        "Where can I learn more?",
        "Are we paying for the yard with our own money?",
    ],
)
def test_faq_refuses_questions_that_name_nothing(heading: str) -> None:
    assert asked("faq", view("Staff park in the gravel yard.", heading)) == {}


def test_faq_names_the_document_where_the_question_does_not() -> None:
    chunk = view("The master writes it.", "Who writes the report?", title="Man overboard")
    (question,) = named("faq", chunk)
    assert question.endswith(' "Man overboard", who writes the report?')


STEPS = "1. Open the gate.\n2. Click the red button.\n3. Close the gate."


@pytest.mark.parametrize(
    ("heading", "task"),
    [
        ("How to open the parking gate", "open the parking gate"),
        ("Opening the parking gate", "open the parking gate"),
        ("Open The Parking Gate", "open the parking gate"),
        ("Step 2 - Open the parking gate", "open the parking gate"),
    ],
)
def test_procedures_are_asked_by_their_task(heading: str, task: str) -> None:
    text = f"Only staff may open the parking gate.\n\n{STEPS}"
    (found,) = asked("procedure", view(text, heading)).items()
    assert found[0] in (f"How do I {task}?", f"How do you {task}?", f"How can I {task}?")
    assert found[1] == f"Only staff may open the parking gate.\n{STEPS}"


def test_procedures_without_a_task_are_asked_by_their_heading() -> None:
    (question,) = asked("procedure", view(STEPS, "On deck"))
    assert question in (
        'What are the steps under "On deck"?',
        'Which steps are given under "On deck"?',
    )
    assert asked("procedure", view(STEPS, "Key objectives")) == {}
    assert asked("procedure", view("1. Alder in the east\n2. Bramble in the west", "On deck")) == {}


@pytest.mark.parametrize("heading", ["Pull requests", "Leave types", "Open questions"])
def test_a_heading_that_only_looks_like_an_order_is_no_task(heading: str) -> None:
    text = "Open the gate first. Close the gate when the last pull request has left."
    assert asked("procedure", view(text, heading)) == {}


def test_a_procedure_told_in_prose_needs_an_order() -> None:
    heading = "Opening the parking gate"
    told = "Take the parking card from the desk. Hold it to the gate."
    other = "The parking gate is opened at six. Visitors wait in the road."
    assert list(asked("procedure", view(told, heading)).values()) == [told]
    assert asked("procedure", view(other, heading)) == {}


def test_code_that_plain_text_loses_makes_a_procedure_useless() -> None:
    text = "1. Open a terminal.\n2. Run this command now.\n\n```\nls\n```\n\n3. Close the terminal."
    assert asked("procedure", view(text, "How to open the parking gate")) == {}
    note = "Parking permits are printed by one command. It needs the number of the car as well."
    assert asked("keyword_passage", view(note, "Parking permits", title="Harbour"))
    code = view(f"```\nprint 1\n```\n\n{note}", "Parking permits", title="Harbour")
    assert asked("keyword_passage", code) == {}


def test_half_a_list_is_not_asked_for() -> None:
    for name, text in (("procedure", STEPS), ("heading", STEPS.replace("1.", "-"))):
        assert asked(name, view(text, "On deck", after="\n4. Go home.")) == {}
        assert asked(name, view(text, "On deck", before="0. Wake up.\n")) == {}


def test_lists_are_asked_by_a_plural_heading_or_by_name() -> None:
    names = "- Alder\n- Bramble\n- Cress"
    assert asked("heading", view(names, "Parking zones")) == {"What are the parking zones?": names}
    rules = "- Stay in your car.\n- Keep the engine off."
    (found,) = asked("heading", view(rules, "During the crossing")).items()
    assert "During the crossing" in found[0]
    assert found[1] == rules


def test_the_sentence_that_opens_a_list_is_part_of_it() -> None:
    text = "Weather leave is granted for:\n- storms\n- floods"
    (found,) = asked("heading", view(text, "Weather and safety")).items()
    assert found == ('What is said under "Weather and safety"?', text) or found[1] == text


def test_a_list_that_is_part_of_a_section_is_asked_only_by_its_opening() -> None:
    text = "Cars are parked in rows.\n\nThe main zones are:\n- Alder\n- Bramble\n\nBoats are not."
    (found,) = asked("heading", view(text, "Cars and boats")).items()
    assert found == ("What are the main zones?", "- Alder\n- Bramble")


@pytest.mark.parametrize(
    "text",
    [
        "- [Rules](a.md)\n- [Fees](b.md)\n- [Map](c.md)",
        "- See the rules.\n- Learn more about fees.",
        "- Fees\n  - for cars\n  - for boats",
        "- [PHONE_bcdfghjk]\n- [EMAIL_bcdfghjk]",
    ],
    ids=["links", "pointers", "nested", "scrubbed"],
)
def test_lists_that_say_nothing_are_not_asked_for(text: str) -> None:
    assert asked("heading", view(text, "Visitor parking")) == {}


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        (
            "The fee must be paid within 14 days of the offence.",
            "Within how many days of the offence must the fee be paid?",
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
        (
            "Your manager must hold a yearly review with you.",
            "Who must hold a yearly review with you?",
        ),
        ("A battery lasts ten hours.", "How many hours does a battery last?"),
        (
            "The first manager (FM) reviews the leave request (LR) within 3 days.",
            "Within how many days does the first manager review the leave request?",
        ),
    ],
)
def test_fact_questions(sentence: str, question: str | None) -> None:
    assert list(asked("fact", view(sentence))) == ([question] if question else [])


def test_a_fact_names_its_section_unless_it_says_what_it_is_about() -> None:
    text = "You can receive six free sessions."
    (question,) = named("fact", view(text, "Help for staff"))
    assert '"Parking rules: Help for staff"' in question
    (question,) = named("fact", view(text, "Free sessions"))
    assert question == "How many free sessions can you receive?"


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
        "Staff members can obtain from the desk a free, read-only licence.",
        "The team writes the report about every drill on board.",
        "The council can make decisions about its own work and time.",
        "The Office of Consulting Handbook establishes the rules of all teams.",
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
    assert found['How many berths are given for "Hesk"?'] == "2"
    assert {
        found.get(f'{q} longest ship {v} for "Tolvey"?')
        for q, v in (("What is the", ""), ("Which", "is given"))
    } - {None} or any(
        "longest ship" in question and answer == "65 m" for question, answer in found.items()
    )
    names = {question.split(", ")[0] for question in named("table", view(TABLE, "Berths"))}
    assert names <= {'According to "Parking rules: Berths"', 'In "Parking rules: Berths"'}


def test_a_part_of_a_table_finds_its_header_above() -> None:
    head, row = TABLE.rsplit("\n", 1)
    chunk = view(row, "Berths", before=f"## Berths\n\n{head}\n")
    assert asked("table", chunk)['How many berths are given for "Tolvey"?'] == "1"
    assert chunk.passage.startswith("| Port | Berths |")


def test_a_number_that_may_be_a_code_is_not_counted() -> None:
    table = "| Task | Clerks |\n| --- | --- |\n| Sales | 1434 |\n| Audit | 12 |"
    found = asked("table", view(table))
    assert found['How many clerks are given for "Audit"?'] == "12"
    assert not any("many" in question and answer == "1434" for question, answer in found.items())


@pytest.mark.parametrize(
    "table",
    [
        "| Day | From |\n| --- | --- |\n| Monday | 8 |\n| Monday | 9 |",
        "| 1 | 2 |\n| 3 | 4 |",
        "| Day | Hours |\n| --- | --- |\n| Monday | 8 |\n| Tuesday | 9 |",
        "| [Deck](a.md) | [Engine](b.md) |\n| --- | --- |\n| Wash | Oil |\n| Paint | Fuel |",
        "| Sum | Hours |\n| --- | --- |\n| Total | 40 |\n| Subtotal | 10 |",
        "| Office | Guide |\n| --- | --- |\n| Hesk | Guide |\n| Drun | Guide |",
        "| New Year | January 1 |\n| --- | --- |\n| Christmas | December 25 |\n"
        "| Easter | April 6 |",
        "| Sea template | Harbour template |\n| --- | --- |\n| Deck template | Office template |",
        "| Office | Links |\n| --- | --- |\n| Hesk | Map of Hesk Plan of the yard |\n"
        "| Drun | Map of Drun Plan of the quay |",
        "| Site | Owner |\n| --- | --- |\n| The website Our public face | Web team |\n"
        "| The gauge Our oldest tool | Deck crew |",
    ],
    ids=[
        "twice",
        "numbers",
        "days",
        "linked",
        "total",
        "name-of-column",
        "dates",
        "layout",
        "run-together",
        "key-run-together",
    ],
)
def test_tables_whose_cells_say_nothing_are_left_alone(table: str) -> None:
    assert asked("table", view(table)) == {}


def test_cloze_leaves_out_one_figure() -> None:
    text = "A ship that is less than 12 minutes late keeps its berth window."
    (found,) = named("cloze", view(text, "Lateness")).items()
    assert found[0].endswith(
        '"Parking rules: Lateness": A ship that is less than ____ late keeps its berth window.'
    )
    assert found[1] == "12 minutes"


@pytest.mark.parametrize(
    "sentence",
    [
        "It keeps its berth window for 12 minutes and then loses it.",
        "The crossing takes 20 minutes by day and 30 minutes by night.",
        "The last train leaves the station 10 to 15 minutes after the hour.",
        "Approval of the whole journey will take 2–3 weeks to complete.",
        "Posts should only be written by one or two people of the team.",
        "Approval of the whole journey may take 6 months to a year.",
        "You earn 56 more hours (14 pay periods x 4 hours each) of leave.",
        "You would be 96 hours over the cap of the annual leave.",
    ],
)
def test_cloze_refuses_ambiguous_gaps(sentence: str) -> None:
    assert asked("cloze", view(sentence)) == {}


def test_examples_give_no_facts() -> None:
    text = "A ship that is less than 12 minutes late keeps its berth window."
    assert asked("cloze", view(text, "Example of a late ship")) == {}
    assert asked("fact", view("A battery lasts ten hours.", "Example of a battery")) == {}


def test_keyword_asks_what_the_document_says_about_a_heading() -> None:
    text = "Report sick leave by telephone before your shift starts. A text message is not enough."
    (found,) = named("keyword_passage", view(text, "Sick leave", title="Leave policy")).items()
    assert "sick leave" in found[0]
    assert '"Leave policy"' in found[0]
    assert found[1] == text


def test_a_heading_that_is_no_phrase_is_quoted() -> None:
    text = "There is a gym in the basement of the harbour office. Bring a towel and a lock."
    (question,) = named("keyword_passage", view(text, "Gym", title="Harbour office"))
    assert 'under "Gym"' in question


@pytest.mark.parametrize(
    "text",
    [
        "Use the process below to report sickness. A text message is not enough for that.",
        "Plays a key role when staff report sickness. A text message is not enough for that.",
        "Report sickness by telephone before the shift starts. The desk has the numbers for:",
        "See the leave policy of the company for all the rules about sickness.",
    ],
)
def test_keyword_leaves_out_answers_that_are_none(text: str) -> None:
    assert asked("keyword_passage", view(text, "Sick leave", title="Leave policy")) == {}


def test_subsections_belong_to_the_answer() -> None:
    text = "Report sickness by telephone before your shift starts. A text message is not enough."
    before = "## Sick leave\n\n"
    inner = view(text, "Sick leave", title="Leave policy", before=before, after="\n\n### Abroad")
    outer = view(text, "Sick leave", title="Leave policy", before=before, after="\n\n## Training")
    assert asked("keyword_passage", inner) == {}
    assert asked("keyword_passage", outer)


def test_a_term_recurs_in_its_passage_and_stands_nowhere_else() -> None:
    text = (
        "Tea is served at four in the hall of the harbour.\n\n"
        "The sailing board shows all ships of the day. Each captain reads the sailing board."
    )
    other = "Passengers wait in the hall. The kiosk sells tea."
    chunk = ChunkView("c", "Harbour", (), text, f"{text}\n\n{other}", 0, (text, other))
    (found,) = named("keyword_passage", chunk).items()
    assert "the sailing board" in found[0]
    assert found[1] == text.split("\n\n")[1]
    elsewhere = f"{text}\n\n{other} The sailing board is red."
    again = ChunkView("c", "Harbour", (), text, elsewhere, 0, (text, other))
    assert named("keyword_passage", again) == {}


PERMITS = (
    "Parking permits are given to all staff of the harbour for one year. The desk prints them on "
    "the first day of work, and the permits lie behind the glass of the car."
)
VISITORS = (
    "Visitors of the harbour pay for one day at the gate. The desk keeps a list of all visitors "
    "who paid for a day of parking, with the number of the car."
)


def test_the_leads_of_all_paragraphs_are_a_summary() -> None:
    chunk = view(f"{PERMITS}\n\n{VISITORS}", "Parking permits", title="Harbour")
    (found,) = named("lead_summary", chunk).items()
    assert '"Parking permits"' in found[0]
    assert found[1] == " ".join(text.split(". ")[0] + "." for text in (PERMITS, VISITORS))


@pytest.mark.parametrize(
    "second",
    [
        "Read the list of the desk before the first day. " + VISITORS,
        "There are several ways for visitors to pay. " + VISITORS,
        "They pay for one day at the gate. " + VISITORS,
        "- " + VISITORS,
        "Boats lie in the outer basin. Their crews sleep there, row there and drink there. Boats "
        "of crews row and drink, and crews of boats sleep and row.",
    ],
    ids=["order", "announcement", "pronoun", "list", "other"],
)
def test_leads_that_do_not_carry_their_section_are_no_summary(second: str) -> None:
    text = f"{PERMITS}\n\n{second}"
    assert named("lead_summary", view(text, "Parking permits", title="Harbour")) == {}


@pytest.mark.parametrize("name", ["definition", "fact", "cloze", "keyword_passage"])
def test_documents_in_other_languages_are_left_alone(name: str) -> None:
    from dataclasses import replace

    text = (
        "A berth window is the period in which a ship may use a berth. A battery lasts ten hours. "
        "A ship that is late by 12 minutes at most keeps the whole berth window."
    )
    chunk = view(text, "Berth windows", title="Leave policy")
    assert named(name, replace(chunk, language="en"))
    assert named(name, replace(chunk, language="de")) == {}
