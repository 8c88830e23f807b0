"""Turns HTML whose every word counts into Markdown: pages cut to their content, chapters, Word.

Imported only where it is needed: markdownify and what lies below it take time to load.
"""

import re
from collections.abc import Iterator, Sequence

from bs4 import Tag
from markdownify import ATX, MarkdownConverter

from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.tables import markdown_table

# A span beyond this is a mistake or an attack; tables that people read are smaller.
_WIDEST_SPAN = 50
# Characters that Markdown would take for markup, wherever or only where a line begins.
_MARKUP = re.compile(r"[\\`*<]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|~(?=~)")
_OPENING = re.compile(r"^(\s*)(?:([#>+-]+)|(\d+)([.)]))(?=\s|$)", re.MULTILINE)
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_LANGUAGE_CLASSES = ("language-", "lang-", "highlight-source-")


def html_to_markdown(page: str) -> str:
    """Return HTML as Markdown: links and emphasis as words, images left out.

    Raises:
        UnreadableFile: It is nested more deeply than can be read.
    """
    converter = _Converter(
        heading_style=ATX,
        bullets="-",
        bs4_options="lxml",  # closes tags as browsers do; html.parser nests unclosed ones
        code_language_callback=_language,
        strip=["a", "b", "em", "i", "img", "strong", "svg"],
    )
    try:
        return str(converter.convert(page)).strip()
    except RecursionError as error:
        raise UnreadableFile(
            "too_complex", "Its HTML is nested more deeply than can be read."
        ) from error


def _language(pre: Tag) -> str:
    """Return the language that a block of code says it is in."""
    code = pre.find("code")
    tags = [pre, *([code] if isinstance(code, Tag) else [])]
    for name in (str(name) for tag in tags for name in tag.get_attribute_list("class")):
        for prefix in _LANGUAGE_CLASSES:
            if name.startswith(prefix):
                return name.removeprefix(prefix)
    return ""


class _Converter(MarkdownConverter):
    """Builds tables of its own: cells that span rows or columns, and tables made for layout.

    markdownify hands each method the tag, its children as Markdown, and the tags around it.
    """

    def process_tag(self, node: Tag, parent_tags: set[str] | None = None) -> str:
        """Keep the blocks within a cell apart; markdownify puts all of them on one line."""
        around = parent_tags or set()
        if "_inline" in around and not around & _HEADINGS:
            around = around - {"_inline"}
        return str(super().process_tag(node, around))  # type: ignore[misc]  # not in its stubs

    def convert_hN(self, n: int, el: Tag, text: str, parent_tags: set[str]) -> str:  # noqa: N802
        words = " ".join(text.split())
        heading = super().convert_hN(n, el, words, parent_tags)  # type: ignore[misc]
        return str(heading) if words else ""

    def convert__document_(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return text

    def escape(self, text: str, parent_tags: set[str]) -> str:
        marked = _MARKUP.sub(r"\\\g<0>", text or "")
        return _OPENING.sub(_escape_opening, marked)

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        el["data-text"] = text.strip()
        return ""

    convert_th = convert_td

    def convert_tr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return ""

    def convert_table(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        rows = list(_rows(el))
        body = (
            _as_blocks(rows)
            if _is_layout(rows)
            else markdown_table(_grid(rows), not _is_key_value(rows))
        )
        return f"\n\n{text.strip()}\n\n{body}\n\n"

    def convert_dt(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"\n\n{text.strip()}: "

    def convert_dd(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"{text.strip()}\n\n"


def _escape_opening(found: re.Match[str]) -> str:
    space, mark, number, stop = found.groups()
    return f"{space}\\{mark}" if mark else f"{space}{number}\\{stop}"


def _rows(table: Tag) -> Iterator[list[Tag]]:
    """Yield the cells of each row of a table, not those of tables within it."""
    for row in table.find_all("tr"):
        if row.find_parent("table") is table:
            yield [cell for cell in row.find_all(["td", "th"], recursive=False)]


def _text(cell: Tag) -> str:
    return str(cell.get("data-text", ""))


def _is_layout(rows: Sequence[Sequence[Tag]]) -> bool:
    """Whether a table only places things: one column, or blocks that no cell can hold."""
    if all(len(row) <= 1 for row in rows):
        return True
    texts = [_text(cell) for row in rows for cell in row]
    return any(text.startswith(("#", "|")) or "\n\n#" in text or "\n\n|" in text for text in texts)


def _is_key_value(rows: Sequence[Sequence[Tag]]) -> bool:
    """Whether every row is a name with its values: the first one is then no head."""
    filled = [row for row in rows if row]
    return all(row[0].name == "th" and any(c.name == "td" for c in row[1:]) for row in filled)


def _as_blocks(rows: Sequence[Sequence[Tag]]) -> str:
    return "\n\n".join(filter(None, (_text(cell) for row in rows for cell in row)))


def _grid(rows: Sequence[Sequence[Tag]]) -> list[list[str]]:
    """Return the cells' texts; one that spans rows stands in each of them."""
    grid: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # by column: rows still to fill, and with what
    for row in rows:
        cells: list[str] = []
        spans = dict(below)
        for cell in row:
            _fill_spanned(cells, spans, below)
            words = _on_one_line(_text(cell))
            rowspan = _span(cell, "rowspan")
            width = _span(cell, "colspan")
            for column in range(len(cells), len(cells) + width):
                below[column] = (rowspan - 1, words if column == len(cells) else "")
            cells += [words, *[""] * (width - 1)]
        _fill_spanned(cells, spans, below)
        grid.append(cells)
    return grid


def _fill_spanned(
    cells: list[str], spans: dict[int, tuple[int, str]], below: dict[int, tuple[int, str]]
) -> None:
    """Append what cells of the rows above put at this place."""
    while spans.get(len(cells), (0, ""))[0] > 0:
        left, words = spans.pop(len(cells))
        below[len(cells)] = (left - 1, words)
        cells.append(words)


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name, "1")).strip()
    return min(max(int(value), 1), _WIDEST_SPAN) if value.isdecimal() else 1


def _on_one_line(text: str) -> str:
    """Return a cell's blocks side by side, the items of a list divided by semicolons."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    joined = ""
    for line in lines:
        is_item = line.startswith("- ")
        if joined:
            joined += "; " if is_item and not joined.endswith(":") else " "
        joined += line.removeprefix("- ")
    return joined
