"""What documents that nobody tuned for taught: rows that must not be made of them."""

from dataclasses import replace

import pytest

from tasks.generation.base import ChunkView
from tasks.generation.documents import Sources
from tasks.generation.lists import is_link, link_words
from tasks.generation.passage import headings_of
from tests.unit.generation.conftest import tables, view
from tests.unit.generation.test_generators import asked, named

ITEMS = "- Ropes are dried first\n- Nets are mended on deck"
LOG = f"# Log\n\n## 2.0\n\n### Fixed\n\n{ITEMS}\n\n## 1.0\n\n### Fixed\n\n- Old ropes\n- Old nets"


def part_of(document: str, text: str, *headings: str) -> ChunkView:
    before, after = document.split(text, 1)
    return view(text, *headings, before=before, after=after, title="Log")


def test_a_heading_that_recurs_names_no_section() -> None:
    chunk = part_of(LOG, ITEMS, "2.0", "Fixed")
    assert asked("heading", chunk) == {}
    alone = part_of(LOG.replace("## 1.0\n\n### Fixed", "## 1.0\n\n### Mended"), ITEMS, "Fixed")
    assert list(asked("heading", alone).values()) == [ITEMS]


def test_what_stands_below_a_heading_that_recurs_is_found_by_the_one_above() -> None:
    table = "| Port | Longest ship |\n| --- | --- |\n| Hesk | 75 m |\n| Tolvey | 65 m |"
    chunk = part_of(LOG.replace(ITEMS, table), table, "2.0", "Fixed")
    assert all('"Log: 2.0: Fixed"' in question for question in named("table", chunk))
    assert named("table", chunk)


@pytest.mark.parametrize("name", ["faq", "procedure", "keyword_passage"])
def test_no_generator_asks_by_a_heading_that_recurs(name: str) -> None:
    sections = {
        "faq": ("How can I pay my parking fee?", "Pay it in the gravel yard."),
        "procedure": ("How to wash a car", "1. Fill the bucket.\n2. Wash the car with the cloth."),
        "keyword_passage": (
            "Gravel yard",
            "The gravel yard holds forty cars. It is swept on each Monday before the gates open.",
        ),
    }
    heading, text = sections[name]
    document = f"# Log\n\n## {heading}\n\n{text}\n\n## Fines\n\nNone."
    assert named(name, part_of(document, text, heading))
    twice = f"{document}\n\n## {heading}\n\nNot yet known."
    assert named(name, part_of(twice, text, heading)) == {}


def test_comments_in_code_are_no_headings() -> None:
    document = "# Set up\n\n```sh\n# Install\nmake\n```\n\n## 2. Install\n\nRun it."
    assert headings_of(document) == {"set up": 1, "install": 1}


def test_a_shelf_of_links_is_not_asked_for() -> None:
    text = "- Fare table (PDF)\n- Deck plan"
    chunk = view(text, "Good to have", before="## Good to have\n\n")
    assert asked("heading", chunk)
    links = link_words("- [Fare table](a.pdf) (PDF)\n- [Deck plan](b.md)")
    assert links == {"Fare table", "Deck plan"}
    assert link_words("See [the plan][1].\n\n[1]: b.md") == {"the plan"}
    assert asked("heading", replace(chunk, links=links)) == {}
    assert not is_link("Deck plan of the ferries that cross at night", links)


def test_links_are_known_from_the_source_of_the_document() -> None:
    chunks, documents = tables(("Log", [(["Plans"], "See the [deck plan](b.md).")]))
    (source,) = Sources(chunks, documents)
    assert source.chunks[0].view.links == {"deck plan"}


@pytest.mark.parametrize(
    "answer",
    [
        "If you find a leak in the hull, please see Repairs and Reports.",
        "Varnsey takes leaks in the hull seriously. Read the full repair policy.",
        "To mend a hull with your own hands, follow the hull repair guide.",
        "Further information on the hull is maintained in the Varnsey Hull Handbook.",
        'If your ship needs a new hull, see "Adding a hull".',
        "Use the framework above to find out what the hull needs before it is painted.",
    ],
)
def test_answers_that_lead_on_are_none(answer: str) -> None:
    heading = "Where is a leak in the hull reported?"
    before = f"## {heading}\n\n"
    assert named("faq", view(answer, heading, before=before)) == {}
    plain = "A leak in the hull is reported to the harbour office, which reads all reports."
    assert named("faq", view(plain, heading, before=before))


@pytest.mark.parametrize(
    "sentence",
    [
        "The truth is that which most crews hold to be the way of the sea.",
        "A great example is the gate model, which defines what is used for passing ships.",
        "The alternative is the path of the ferry from the native harbour.",
        "Line 2 is the section of the harbour that the ship goes into.",
        '"Commercial" just means there is money involved in the freight somewhere.',
        'Varnsey is an "at-will" employer, which means that both sides have the right to part.',
        "The latency value itself is a measure of the time that the oldest ship has waited.",
        "Sentinel is the watch software of choice for crews that sail at Varnsey.",
        "A ship budget is a paper that sets the Budget From your first day at the yard.",
    ],
)
def test_sentences_that_only_look_like_definitions(sentence: str) -> None:
    assert named("definition", view(sentence)) == {}


def test_a_name_keeps_its_capital_though_commands_write_it_small() -> None:
    text = "Helm is the program that steers the ships."
    after = "\n\nCrews start Helm at dawn with `helm start`."
    assert list(named("definition", view(text, after=after))) == ["What is Helm?"]


def test_a_name_that_owns_keeps_its_capital() -> None:
    text = "Varnsey's core values are:\n\n- Patience\n- Dry feet"
    (question,) = named("heading", view(text, "Values"))
    assert "what are Varnsey's core values?" in question


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Do you like planning voyages?", "Write to the harbour office and ask for a chart."),
        ("How should crews handle work on that day?", "Speak with the master about a free day."),
        ("Are the voyages recent?", "Are ships leaving the harbour? Look at the departures page."),
    ],
)
def test_questions_to_the_reader_have_no_answer(heading: str, text: str) -> None:
    assert named("faq", view(text, heading, before=f"## {heading}\n\n")) == {}


@pytest.mark.parametrize(
    "table",
    [
        "| Harbour office | www.hesk.example |\n| --- | --- |\n| Yard | www.yard.example |\n"
        "| Ferry desk | www.ferry.example |",
        "| Life vests | true |\n| --- | --- |\n| Flares | false |\n| Radio set | false |",
        "| Red flag | stop |\n| --- | --- |\n| Green lamp | go |\n| Black ball | stop |",
        "| Start script | bin/start |\n| --- | --- |\n| Stop script | bin/stop |\n"
        "| Log folder | var/log |",
        "|  |  |\n| --- | --- |\n| Owner | Anna Drun |\n| Room | Galley |",
        "| Crew | Ship |\n| --- | --- |\n| Hesk crew | The long ferry |",
        "| Skill | Mate |\n| --- | --- |\n"
        "| Uses our most common tools in day to day work. | Mends at least one of the nets |\n"
        "| Writes in the log of the ship at each watch. | Reads the log at the end of a watch |",
    ],
    ids=["addresses", "true-false", "value-again", "paths", "empty-head", "one-row", "sentences"],
)
def test_a_first_row_that_is_no_header_gives_no_columns(table: str) -> None:
    assert named("table", view(table)) == {}


def test_tables_with_a_header_are_still_asked_about() -> None:
    answers = (
        "| Question | Answer |\n| --- | --- |\n| Who pays for courses? | The company does |\n"
        "| Who keeps the matrix? | Fenella Drun |"
    )
    assert set(named("table", view(answers)).values()) == {"The company does", "Fenella Drun"}
    guides = (
        "| Place | Region | Office guide |\n| --- | --- | --- |\n| Hesk | North | Office Guide |\n"
        "| Tolvey | South | Office Guide |"
    )
    assert set(named("table", view(guides)).values()) == {"North", "South"}
    linked = guides.replace("South | Office Guide", "South | Yard guide")
    links = frozenset({"Office Guide", "Yard guide"})
    assert named("table", view(linked)) == {}
    assert set(named("table", replace(view(linked), links=links)).values()) >= {"North", "South"}


def test_a_cell_that_only_leads_on_is_not_asked_for() -> None:
    table = (
        "| Project | Contribution guides | Author |\n| --- | --- | --- |\n"
        "| Ferry app | Guide | Anna Drun |\n| Yard app | Guide to yards | Pia Hesk |"
    )
    chunk = replace(view(table), links=frozenset({"Guide", "Guide to yards", "Anna Drun"}))
    assert set(named("table", chunk).values()) == {"Anna Drun", "Pia Hesk"}
    again = table.replace("Pia Hesk", "Anna Drun")  # what leads on says the same in each row
    chunk = replace(view(again), links=frozenset({"Guide", "Guide to yards", "Anna Drun"}))
    assert named("table", chunk) == {}


def test_people_are_asked_for_by_who() -> None:
    text = "The owners of each yard are:\n\n- Anna Drun\n- Pia Hesk"
    (question,) = named("heading", view(text, "Yards"))
    assert "who are the owners of each yard?" in question


def test_a_document_whose_title_names_nothing_is_not_named() -> None:
    text = "The yard holds forty cars and is swept on each Monday before the gates open."
    before = "## Gravel rules\n\n"
    assert named("keyword_passage", view(text, "Gravel rules", before=before))
    untitled = view(text, "Gravel rules", before=before, title="Overview")
    assert named("keyword_passage", untitled) == {}


def test_markup_of_other_languages_makes_an_answer_useless() -> None:
    assert named("definition", view("A berth is a class of :class:`Place` that ships use.")) == {}


def test_pictures_around_a_heading_are_left_out_and_within_it_forbid_it() -> None:
    text = "The yard holds forty cars and is swept on each Monday before the gates open."
    (question,) = named(
        "keyword_passage", view(text, "🚗 Gravel rules", before="## 🚗 Gravel rules\n\n")
    )
    assert '"Gravel rules"' in question or "gravel rules" in question
    within = view(text, "Use 📊 to count cars", before="## Use 📊 to count cars\n\n")
    assert named("keyword_passage", within) == {}


@pytest.mark.parametrize(
    "sentence",
    [
        "The crew holds OUTSTANDING SHARES shares of the ferry and keeps all for six years.",
        "Ship Budget Policy From your first day at Varnsey, you have a £250 allowance.",
    ],
)
def test_cloze_leaves_forms_and_joined_lines_alone(sentence: str) -> None:
    assert named("cloze", view(sentence, "Pay")) == {}


@pytest.mark.parametrize(
    "sentence",
    [
        "The Radford data is reviewed once per year at the end of November.",
        "The log should be read at least once every two weeks.",
        "Drills are held every 2 weeks on Friday for 60 minutes.",
        "The target is to cover all of the packages of the basic cargo since 2006.",
        "The log is approved by the People Team and sent out by your manager.",
        "Your changes are posted to the deck for review by a member of the crew.",
        "V2MOMs are a fork of plans created in 1999 by Marc Benioff to align the efforts.",
        "Repeat breaches will result in being banned from the deck by the core team.",
        "The concatenation operator allows a single crate to be pushed onto the end of the stack.",
        "The office team at Varnsey works across the harbour to make sure that cargo – from "
        "crates to ships – helps all who sail.",
        "Other ferries are unsupported by the core team.",
        "Managers must approve the plan for leave The plan covers all of the summer.",
        "Watches are assigned on Thursday of the week before the ferry sails.",
    ],
)
def test_facts_with_a_second_time_or_agent_are_left_alone(sentence: str) -> None:
    assert named("fact", view(sentence)) == {}


@pytest.mark.parametrize(
    "heading", ["Email guidelines", "Don't use custom shortcuts", "Getting started"]
)
def test_headings_that_order_nothing_are_no_task(heading: str) -> None:
    text = "Use the radio in port. You can use custom guidelines and shortcuts to get started."
    chunk = view(text, heading, before=f"## {heading}\n\n")
    assert named("procedure", chunk) == {}


def test_a_caption_above_steps_is_no_part_of_them() -> None:
    heading, steps = "How to wash a car", "1. Fill the bucket.\n2. Wash the car with the cloth."
    before = f"## {heading}\n\n"
    assert named("procedure", view(steps, heading, before=before))
    assert named("procedure", view(f"Example\n\n{steps}", heading, before=before)) == {}


def test_the_opening_of_a_list_must_say_of_what() -> None:
    text = "Gear is kept on deck.\n\n{} are:\n\n- Ropes\n- Nets"
    assert named("heading", view(text.format("The properties"), "Sea")) == {}
    assert named("heading", view(text.format("The only differences in gear"), "Sea")) == {}
    assert named("heading", view(text.format("The properties of the gear"), "Sea"))
