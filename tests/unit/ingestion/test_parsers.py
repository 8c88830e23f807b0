"""Each parser on real files."""

from datetime import datetime
from pathlib import Path

import pytest

from tasks.ingestion.clean import clean_document
from tasks.ingestion.parser import PARSERS, ParsedDocument, UnreadableFile, parser_for
from tests.unit.ingestion.conftest import PNG


def parse(parser: str, content: bytes) -> ParsedDocument:
    return PARSERS.get(parser)().parse(Path("file"), content)


def reason(parser: str, content: bytes) -> str:
    with pytest.raises(UnreadableFile) as raised:
        parse(parser, content)
    assert str(raised.value).endswith((".", ")")) or ": " in str(raised.value)
    return raised.value.reason


def test_no_two_parsers_claim_a_media_type() -> None:
    claimed = [media_type for parser in PARSERS for media_type in parser.media_types]
    assert len(claimed) == len(set(claimed))
    for parser in PARSERS:
        assert isinstance(parser_for(parser.media_types[0]), parser)
        assert parser.__doc__
        assert all(field.description for field in parser.model_fields.values())


class TestMarkdown:
    def test_front_matter_gives_the_title_and_goes(self) -> None:
        parsed = parse("markdown", b'---\ntitle: "Leave: how"\ntags: [a]\n---\n\n# Leave\n')
        assert parsed.title == "Leave: how"
        assert parsed.text.strip() == "# Leave"

    @pytest.mark.parametrize("front", [b"---\n: [broken\n---\n", b"---js\n{a: 1}\n---\n"])
    def test_front_matter_that_is_no_yaml_goes_too(self, front: bytes) -> None:
        assert parse("markdown", front + b"Body\n").text.strip() == "Body"

    @pytest.mark.timeout(60)
    def test_comments_that_no_one_closes_cost_little(self) -> None:
        parsed = parse("markdown", b"# Leave\n\n<!-- a" + b"<!--" * 25_000 + b" 25 days")
        assert clean_document(parsed, inline_markup=True).text == "# Leave\n\na 25 days"

    def test_prose_between_rulers_stays(self) -> None:
        assert "Quote of the day" in parse("markdown", b"---\nQuote of the day\n---\nBody\n").text


class TestHtml:
    PAGE = """<html><head><title>Fares | Handbook</title></head><body>
    <nav><ul><li><a href="/">Home</a></li><li><a href="/f">Fares</a></li></ul></nav>
    <main><article><h1>Fares</h1><p>These fares are valid from 1 March. All prices are in euros,
    for one crossing, with tax, and they were approved by the council last December.</p>
    <h2>Standard</h2><table><tr><th>Route</th><th>Adult</th></tr><tr><td>Stell</td><td>9.40</td>
    </tr></table><ul><li>Students under 27 pay 70 per cent.</li><li>Children travel free.</li></ul>
    </article></main><footer><p>Print this page</p></footer></body></html>"""

    def test_main_content_with_its_structure(self) -> None:
        text = parse("html", self.PAGE.encode()).text
        assert "## Standard" in text
        assert "- Children travel free." in text
        assert "| Stell | 9.40 |" in text
        assert "Home" not in text
        assert "Print this page" not in text

    def test_nothing_but_navigation_is_no_text(self) -> None:
        assert reason("html", b"<html><body><script>x()</script></body></html>") == "no_text"


class TestText:
    def test_wrapped_lines_become_paragraphs_and_short_lines_stay(self) -> None:
        text = (
            "LOST PROPERTY\n\n"
            "About 4,300 objects are found on our ships and in our ports in a year. A\n"
            "little more than half go back to their owners. This page explains how it\n"
            "is done.\n\n"
            "Harbour Office\n14 Pilot Street\nKessenhaven\n\n"
            "- a tuba, found three years in a row, and always after the lantern fair\n"
            "  in August\n"
            "* a hat\n"
        )
        assert parse("text", text.encode()).text == (
            "# LOST PROPERTY\n\n"
            "About 4,300 objects are found on our ships and in our ports in a year. A "
            "little more than half go back to their owners. This page explains how it "
            "is done.\n\n"
            "Harbour Office\n14 Pilot Street\nKessenhaven\n\n"
            "- a tuba, found three years in a row, and always after the lantern fair in August\n"
            "- a hat"
        )

    def test_one_long_line_does_not_stop_the_joining(self) -> None:
        wrapped = "The scanner at the port of Hesk was broken for the whole of the month of\nMay.\n"
        text = parse("text", (wrapped * 4 + "\n" + "Footer " * 30).encode()).text
        assert "the month of May." in text

    @pytest.mark.parametrize(
        "words",
        [
            "Das Café öffnet um 7 Uhr – „pünktlich“, sagt Frau Müller aus Köln.",
            "Mañana el señor Núñez abre la oficina a las ocho y cierra en otoño.",
            "The Gull’s crew – all of them – paid £5.",
        ],
    )
    def test_cp1252(self, words: str) -> None:
        assert parse("text", words.encode("cp1252")).text == words

    def test_utf16(self) -> None:
        assert parse("text", "Grüße".encode("utf-16")).text == "Grüße"


class TestOffice:
    def test_docx_keeps_headings_lists_and_tables(self, docx_bytes: bytes) -> None:
        text = parse("docx", docx_bytes).text
        assert "# Leave policy" in text
        assert "* Ask your manager" in text or "- Ask your manager" in text
        assert "| Parental | 90 |" in text

    def test_damaged_docx_is_corrupt(self, docx_bytes: bytes) -> None:
        assert reason("docx", docx_bytes[: len(docx_bytes) // 2]) == "corrupt"

    def test_xlsx_cells_read_as_people_see_them(self, workbook, save_workbook) -> None:
        sheet = workbook.active
        for row in (
            ["Fleet list 2026", None, None],
            [None, None, None],
            ["Ship", "Cars", "Docked"],
            ["Wren", 78.0, datetime(2026, 1, 5)],
            ["Rose", None, datetime(2026, 1, 6, 7, 30)],
        ):
            sheet.append(row)
        hidden = workbook.create_sheet("Salaries")
        hidden.append(["secret"])
        hidden.sheet_state = "hidden"
        assert parse("xlsx", save_workbook(workbook)).text == (
            "## Ships\n\nFleet list 2026\n\n"
            "| Ship | Cars | Docked |\n| --- | --- | --- |\n"
            "| Wren | 78 | 2026-01-05 |\n| Rose |  | 2026-01-06 07:30 |"
        )

    def test_damaged_xlsx_is_corrupt(self, workbook, save_workbook) -> None:
        content = bytearray(save_workbook(workbook))
        content[200:260] = b"\x00" * 60
        assert reason("xlsx", bytes(content)) == "corrupt"

    def test_csv_with_quotes_pipes_and_line_breaks(self) -> None:
        content = 'ship;note\nWren;"quiet; |saloon|\non deck 5"\nRose;\n'
        assert parse("csv", content.encode()).text == (
            "| ship | note |\n| --- | --- |\n| Wren | quiet; \\|saloon\\| on deck 5 |\n| Rose |  |"
        )


class TestPdf:
    BODY = (
        "The harbour desk is the control room of the company. It watches all ships, gives out",
        "berth windows and tells the public what is happening on the water. It is well-man-",
        "aged and staffed.",
    )

    def page(self, *extra: tuple[str, float, float, float]) -> list:
        lines = [(text, 60, 700 - 13 * n, 10) for n, text in enumerate(self.BODY)]
        return [("The desk", 60, 740, 16), *lines, *extra]

    def test_lines_are_joined_and_headings_found(self, make_pdf) -> None:
        content = make_pdf([self.page(("Next paragraph.", 60, 640, 10))], title="Desk manual")
        parsed = parse("pdf", content)
        assert parsed.title == "Desk manual"
        assert parsed.text == (
            "# The desk\n\nThe harbour desk is the control room of the company. It watches all "
            "ships, gives out berth windows and tells the public what is happening on the water. "
            "It is well-managed and staffed.\n\nNext paragraph."
        )

    def test_running_heads_go_and_pages_have_spans(self, make_pdf) -> None:
        pages = [
            self.page(("Staff handbook", 60, 800, 8), (f"Page {n} of 3", 60, 30, 8))
            for n in (1, 2, 3)
        ]
        pages[1][0] = ("Its second page", 60, 740, 16)
        pages[1][1] = (
            "The second page begins with another sentence that is long",
            *pages[1][1][1:],
        )
        parsed = parse("pdf", make_pdf(pages))
        assert "Staff handbook" not in parsed.text
        assert "Page 2" not in parsed.text
        assert [span.page for span in parsed.pages] == [1, 2, 3]
        second = parsed.pages[1]
        assert parsed.text[second.start : second.end].startswith("# Its second page\n\nThe second")

    def test_a_paragraph_runs_over_the_page_break(self, make_pdf) -> None:
        first = [(self.BODY[0], 60, 100, 10)]
        second = [(self.BODY[1].replace("well-man-", "well."), 60, 780, 10)]
        parsed = parse("pdf", make_pdf([first, second]))
        assert "gives out berth windows" in parsed.text
        assert parsed.text[parsed.pages[1].start :].startswith("berth windows")

    def test_items_around_a_page_break_are_no_running_line(self, make_pdf) -> None:
        first = [*self.page(), ("• 3 per cent from 100 metres", 60, 60, 10)]
        second = [("• 6 per cent from 500 metres", 60, 780, 10), *self.page()[1:]]
        text = parse("pdf", make_pdf([first, second])).text
        assert "- 3 per cent from 100 metres" in text
        assert "- 6 per cent from 500 metres" in text

    def test_table_with_a_wrapped_cell(self, make_pdf) -> None:
        rows = [
            ("Space", 60, 600, 10), ("System", 250, 600, 10),
            ("Engine room", 60, 566, 10), ("water mist and", 250, 580, 10), ("foam", 250, 566, 10),
            ("Galley", 60, 546, 10), ("wet chemical", 250, 546, 10),
        ]  # fmt: skip
        assert (
            "| Space | System |\n| --- | --- |\n"
            "| Engine room | water mist and foam |\n| Galley | wet chemical |"
        ) in parse("pdf", make_pdf([self.page(*rows)])).text

    def test_scan_encrypted_and_corrupt_have_their_reasons(self, make_pdf) -> None:
        assert reason("pdf", make_pdf([[], [("2", 300, 30, 8)]])) == "scanned"
        assert reason("pdf", make_pdf([self.page()], password="secret")) == "encrypted"
        assert reason("pdf", make_pdf([self.page()])[:300]) == "corrupt"
        assert reason("pdf", PNG) == "corrupt"
