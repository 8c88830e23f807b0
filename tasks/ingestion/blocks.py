"""The blocks of a cleaned text, each with its span and the headings it stands under."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

Span = tuple[int, int]

# As markdown-it counts lines.
_LINE_END = re.compile(r"\r\n?|\n")
_HEADING_MARK = re.compile(r"^\s*#{1,6}[ \t]+|[ \t]+#+[ \t]*$")


@dataclass(frozen=True)
class Block:
    """A paragraph, list, table or code block.

    Attributes:
        span: Where it stands in the text.
        parts: Spans of the items of a list or the rows of a table, or of what else it can be
            divided into by its structure; empty for a paragraph.
        headings: The headings above it, outermost first.
    """

    span: Span
    parts: tuple[Span, ...]
    headings: tuple[str, ...]


def find_blocks(text: str) -> list[Block]:
    """Return the blocks of a text in order; headings are in their paths only."""
    starts = [0, *(found.end() for found in _LINE_END.finditer(text)), len(text)]
    path: dict[int, str] = {}
    blocks = []
    for node in SyntaxTreeNode(_parser().parse(text)).children:
        span = _span(text, starts, node.map)
        if node.type == "heading":
            level = int(node.tag[1])
            path = {n: words for n, words in path.items() if n < level}
            path[level] = _HEADING_MARK.sub("", text[slice(*span)]).strip()
        elif span[0] < span[1]:
            parts = tuple(_parts(text, starts, node))
            blocks.append(Block(span, parts, tuple(path[n] for n in sorted(path))))
    return blocks


@cache
def _parser() -> MarkdownIt:
    """Read what cleaning writes, and nothing else: no inline markup, quotes, HTML or rulers."""
    unused = ["inline", "blockquote", "code", "hr", "html_block", "lheading", "reference"]
    return MarkdownIt("commonmark").enable("table").disable(unused)


def _parts(text: str, starts: list[int], node: SyntaxTreeNode) -> Iterator[Span]:
    if node.type in ("bullet_list", "ordered_list"):
        for item in node.children:
            yield _span(text, starts, item.map)
    elif node.type in ("table", "fence") and node.map:
        # a table's head and the ruler below it stay with the first row
        first = 3 if node.type == "table" else 1
        lines = [node.map[0], *range(node.map[0] + first, node.map[1]), node.map[1]]
        for begin, end in pairwise(lines):
            yield _span(text, starts, (begin, end))


def _span(text: str, starts: list[int], lines: tuple[int, int] | None) -> Span:
    """Return the characters of some lines, white space at the ends left out."""
    if lines is None:
        return (0, 0)
    start, end = starts[lines[0]], starts[min(lines[1], len(starts) - 1)]
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    return start, start + len(inner.strip())
