"""What cleaning takes out of Markdown, and what it must leave."""

from contextlib import suppress

import pytest

from tasks.ingestion.markup import plain_markdown
from tasks.ingestion.parser import UnreadableFile


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("See the **[travel _guide_](https://x.y/z)** now.", "See the travel guide now."),
        ("A ![picture](a.png) shows.", "A picture shows."),
        ("![alone](a.png)\n\nText", "Text"),
        ("Press ![gear](g.png) twice, ![a map of all the offices](m.png)", "Press gear twice,"),
        ("<nav>\n\n[Home](/)\n\n</nav>\n\nText", "Text"),
        ("- [A](/a)\n- [B](/b)\n- [C](/c)\n\nText", "Text"),
        ("## On this page\n\n- [A](/a)\n- [B](/b)\n- [C](/c)\n\nText", "Text"),
        ("Tools:\n\n- [A](/a)\n- [B](/b)\n- [C](/c)", "Tools:\n\n- A\n- B\n- C"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("Write to <me@x.org> or <your name>.", "Write to me@x.org or <your name>."),
        ("old ~~gone~~ new", "old new"),
        ("wrapped\nline", "wrapped line"),
        ("hard<br>break", "hard\nbreak"),
        ("Before <!-- hidden\n\nnote --> after", "Before after"),
        ("Title\n=====\n\nText", "# Title\n\nText"),
        ("# Install {#install}\n{: .no_toc }\n", "# Install"),
        ("> Quoted *words*", "Quoted words"),
        ("1. one\n1. two\n   - deep\n1. three", "1. one\n2. two\n   - deep\n3. three"),
        ("- [ ] todo\n- [x] done", "- todo\n- done"),
        ("- [A](#a)\n- [B](#b)\n\n## A", "## A"),
        ("Text[^1].\n\n[^1]: The note.", "Text.\n\nThe note."),
        ("Run `make [all]` now", "Run make [all] now"),
        ("```sh\nls **x**\n```", "```sh\nls **x**\n```"),
        ("a\n\n---\n\nb", "a\n\nb"),
        ("| A | B |\n|---|:-:|\n| [x](y) | **1** |", "| A | B |\n| --- | --- |\n| x | 1 |"),
        ("do not post **this: [list](/x).** Now", "do not post this: list. Now"),
    ],
)
def test_markup_becomes_plain(markdown: str, plain: str) -> None:
    assert plain_markdown(markdown, inline_markup=True) == plain


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("Hop into {% slack_channel 'infra' %} now.", "Hop into #infra now."),
        ("Mark it {% tag 'new' %} now.", "Mark it new now."),
        ("Use <code>{% list %}</code> to list.", "Use {% list %} to list."),
        ("Ask {{ site.contact_name }} first.", "Ask <site contact name> first."),
        ("Ask {{ 'Ada' | upcase }} first.", "Ask Ada first."),
        ("See [this]({% page '/a b' %}).", "See this."),
        ("See [this][r].\n\n[r]: {% page '/x' %}", "See this."),
        ("{% include 'warning.html' %}\n\nText {{ site.name }}.", "Text <site name>."),
        ("{% alert 'Careful' %}\nMind the gap.\n{% endalert %}", "Mind the gap."),
        ("a {% comment %} no {% endcomment %}b", "a b"),
        ("Use `{{ name }}` here", "Use {{ name }} here"),
        ("{% image 'a.png' 'the door' %}", ""),
    ],
)
def test_template_tags_go(markdown: str, plain: str) -> None:
    assert plain_markdown(markdown, inline_markup=True) == plain


def test_html_tables_with_blank_lines_become_markdown() -> None:
    head = "<tr><th>Who</th><th>Where</th></tr>"
    page = f"<table>\n{head}\n\n<tr><td>\n**Ada**\n</td><td>Rome</td></tr></table>"
    plain = plain_markdown(page, inline_markup=True)
    assert plain == "| Who | Where |\n| --- | --- |\n| Ada | Rome |"


def test_html_blocks_leave_their_words() -> None:
    page = '<details class="x">\n<summary>More</summary>\n\nThe *rest*.\n\n</details>'
    assert plain_markdown(page, inline_markup=True) == "More\n\nThe rest."


def test_plain_text_keeps_its_characters() -> None:
    text = "if a < b and *x* or [y](z): <none>\n    indented _so_\n> quoted"
    assert plain_markdown(text, inline_markup=False) == (
        "if a < b and *x* or [y](z): <none>\nindented _so_\n> quoted"
    )


@pytest.mark.parametrize("opening", ["{% ", "{{ ", "<!-- ", "<table>", "<script>", "[x]: {% "])
@pytest.mark.timeout(20)
def test_unclosed_marks_cost_no_more_than_their_length(opening: str) -> None:
    with suppress(UnreadableFile):  # nested too deeply is an answer as well
        plain_markdown(opening * 5_000, inline_markup=True)


def test_a_table_without_a_head_keeps_none() -> None:
    table = "|  |  |\n| --- | --- |\n| New Year | January 1 |\n| Labour Day | May 1 |"
    assert plain_markdown(table, inline_markup=True) == table
    rows = "<tr><td>New Year</td><td>January 1</td></tr><tr><td>Labour Day</td><td>May 1</td></tr>"
    assert plain_markdown(f"<table>{rows}</table>", inline_markup=True) == table
    head = "<tr><th>Day</th><th>Date</th></tr>"
    headed = plain_markdown(f"<table>{head}{rows}</table>", inline_markup=True)
    assert headed.startswith("| Day | Date |\n| --- | --- |\n| New Year")
