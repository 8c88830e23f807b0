"""HTML and Word tables, titles, what pages state, hostile pages."""

import io
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import docx
import pytest

from tasks.ingestion.html_text import html_to_markdown
from tasks.ingestion.parser import ParsedDocument, UnreadableFile
from tasks.ingestion.parsers.docx import DocxParser
from tasks.ingestion.parsers.html import HtmlParser

WORDS = "These fares are valid from 1 March. All prices are in euros, for one crossing. " * 4


def parse(page: str) -> ParsedDocument:
    return HtmlParser().parse(Path("a.html"), page.encode())


def main(body: str, head: str = "") -> str:
    return (
        f"<html><head>{head}</head><body><nav>Home</nav><main><p>{WORDS}</p>{body}</main>"
        "<footer>Print</footer></body></html>"
    )


def test_what_a_page_marks_as_content_is_taken_without_furniture() -> None:
    text = parse(
        main(
            "<aside>See also</aside>tail<h2>Two<br>lines</h2><p>1. no item *no stress* a &lt;b&gt;"
            "</p><pre><code class='language-python'>def f():\n    pass</code></pre>"
        )
    ).text
    assert text.endswith(
        "tail\n\n## Two lines\n\n1\\. no item \\*no stress\\* a \\<b>\n\n"
        "```python\ndef f():\n    pass\n```"
    )
    assert not any(words in text for words in ("Home", "Print", "See also"))


def test_tags_that_no_one_closes_are_closed_as_browsers_do() -> None:
    assert html_to_markdown("<p>one" * 3000).count("\n\n") == 2999
    assert html_to_markdown("<table><tr><td>a<td>b<tr><td>c<td>d</table>").endswith("| c | d |")


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Logging in &amp;amp; Networks | Handbook</title>", "", "Logging in & Networks"),
        ("<title>x</title>", "<h1>Fares<br>2026</h1>", "Fares 2026"),
        ("<title>x</title>", "<h1><span>Fares</span><span>2026</span></h1>", "Fares 2026"),
        ("<meta property='og:title' content='Fares &amp;amp; more'>", "", "Fares & more"),
    ],
)
def test_titles(head: str, body: str, title: str) -> None:
    assert parse(main(body, head)).title == title


def test_titles_from_front_matter_have_no_markup() -> None:
    page = "---\ntitle: Set up <em>before</em> you &amp; they go\n---\n" + main("")
    assert parse(page).title == "Set up before you & they go"


def test_pages_state_date_and_licence() -> None:
    head = "<meta name='dcterms.modified' content='2026-01-09T10:00Z'>"
    parsed = parse(main("<a rel='license' href='http://x.example/by'>CC BY 4.0</a>", head))
    assert (parsed.date, parsed.licence) == ("2026-01-09", "CC BY 4.0")


def test_cells_that_span_rows_and_columns() -> None:
    table = (
        "<table><tr><th>Route</th><th colspan=2>Fare</th></tr>"
        "<tr><td rowspan=2>1</td><td>adult</td><td>9.40</td></tr>"
        "<tr><td>child</td><td>4.70<ul><li>a|b</li><li>c</li></ul></td></tr></table>"
    )
    assert html_to_markdown(table) == (
        "| Route | Fare |  |\n| --- | --- | --- |\n| 1 | adult | 9.40 |\n"
        "| 1 | child | 4.70; a\\|b; c |"
    )


def test_tables_for_layout_are_blocks() -> None:
    page = "<table><tr><td><h2>Left</h2><p>one</p><p>two</p></td><td>three</td></tr></table>"
    assert html_to_markdown(page) == "## Left\n\none\n\ntwo\n\nthree"
    assert html_to_markdown("<table><tr><td>a box</td></tr></table>") == "a box"


@pytest.mark.timeout(60)
def test_a_page_of_too_many_tags_is_refused_at_once() -> None:
    with pytest.raises(UnreadableFile) as raised:
        parse("<html><body>" + "<p>" * 200_000)
    assert raised.value.reason == "too_complex"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("opened", ["<!--", "<div>", "<b>", "<table><tr><td>", "<![CDATA["])
def test_unclosed_marks_cost_little(opened: str) -> None:
    with suppress(UnreadableFile):
        parse(main(opened * 20_000))


def save(document: "docx.document.Document") -> bytes:
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


class TestWord:
    def test_title_style_core_properties_and_boxes(self) -> None:
        document = docx.Document()
        document.core_properties.modified = datetime(2026, 1, 9)
        document.core_properties.title = "An older document"
        document.add_paragraph("Weekly ship", style="Title")
        box = document.add_table(1, 1).cell(0, 0)
        box.text = "All teams"
        box.add_paragraph("send it on Friday.")
        parsed = DocxParser().parse(Path("a.docx"), save(document))
        assert parsed.text == "# Weekly ship\n\nAll teams\n\nsend it on Friday."
        assert (parsed.title, parsed.date) == ("", "2026-01-09")

    def test_equations_keep_their_characters(self) -> None:
        document = docx.Document()
        paragraph = document.add_paragraph("Speed is ")
        namespace = "http://schemas.openxmlformats.org/officeDocument/2006/math"
        paragraph._p.append(
            docx.oxml.parse_xml(
                f'<m:oMath xmlns:m="{namespace}"><m:r><m:t>v=s/t</m:t></m:r></m:oMath>'
            )
        )
        assert DocxParser().parse(Path("a.docx"), save(document)).text == "Speed is v=s/t"


def test_a_table_of_names_and_values_has_no_head() -> None:
    rows = "<tr><th>Owner</th><td>Anna</td></tr><tr><th>Room</th><td>4</td></tr>"
    table = html_to_markdown(f"<table>{rows}</table>")
    assert table == "|  |  |\n| --- | --- |\n| Owner | Anna |\n| Room | 4 |"
    headed = html_to_markdown(f"<table><tr><th>Name</th><th>Value</th></tr>{rows}</table>")
    assert headed.startswith("| Name | Value |\n| --- | --- |\n| Owner")
