"""Turns comments and docstrings into prose."""

import re
import textwrap
from collections.abc import Iterator, Sequence

from tasks.ingestion.fence import fenced

_OPEN = re.compile(r"^\s*(?:/\*+!?|[a-zA-Z]{0,2}(?:\"{3}|'{3}|\"|')|<!--|--\[\[)")
_CLOSE = re.compile(r"(?:\*+/|\"{3}|'{3}|\"|'|-->|\]\])\s*$")
_LINE_MARK = re.compile(r"^\s*(?:///?!?|//!|#+|--+|;+|%+)(?:\s|$)")
_STAR = re.compile(r"^\s*\*(?:\s|$)")
_RULER = re.compile(r"^[\W_]{3,}$")
# Marks of lists, and the tags of Javadoc, JSDoc, Doxygen and Sphinx.
_ITEM = re.compile(
    r"^(?:(?:[-*+•]|\d{1,2}[.)])\s+|[@:\\](?=(?:param|return|throw|raise|type|see)s?\b))"
)
_MARKUP = re.compile(r"[\\*<]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
_DOCTEST = ">>>"


def comment_to_markdown(source: str) -> str:
    """Return the words of a comment or docstring as paragraphs, lists and doctests.

    Args:
        source: As it stands in the file, marks and all; several line comments are one.
    """
    return "\n\n".join(_blocks(_without_marks(source)))


def _without_marks(source: str) -> list[str]:
    lines = source.expandtabs(4).split("\n")
    if all(_LINE_MARK.match(line) or not line.strip() for line in lines):
        bare = [_LINE_MARK.sub("", line, count=1) for line in lines]
    else:
        lines[0] = _OPEN.sub("", lines[0], count=1)
        lines[-1] = _CLOSE.sub("", lines[-1], count=1)
        stars = sum(bool(_STAR.match(line)) for line in lines[1:] if line.strip())
        filled = sum(bool(line.strip()) for line in lines[1:])
        starred = stars and stars >= filled / 2
        rest = [_STAR.sub("", line, count=1) for line in lines[1:]] if starred else lines[1:]
        bare = [lines[0].strip(), *textwrap.dedent("\n".join(rest)).split("\n")]
    return ["" if _RULER.match(line.strip()) else line.rstrip() for line in bare]


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    """Yield paragraphs, lists and doctests; lines indented below "Args:" are items."""
    block: list[str] = []
    items_at = -1  # the indentation of the items of the block, if it is a list
    for line in [*lines, ""]:
        indent, words = len(line) - len(line.lstrip()), line.strip()
        in_doctest = bool(block) and block[0].startswith(_DOCTEST)
        below_label = bool(block) and block[-1].endswith(":") and indent > 0
        if not words or (words.startswith(_DOCTEST) and not in_doctest):
            yield from _finished(block)
            block, items_at = ([words] if words else []), -1
        elif in_doctest:
            block.append(words)
        elif _ITEM.match(words) or (items_at < 0 and below_label) or 0 <= indent == items_at:
            yield from _finished(block) if items_at < 0 else ()
            block = block if items_at >= 0 else []
            block.append("- " + escaped(_ITEM.sub("", words)))
            items_at = indent
        elif block and (items_at < 0 or indent > items_at):
            block[-1] += " " + escaped(words)
        else:
            yield from _finished(block)
            block, items_at = [escaped(words)], -1


def _finished(block: Sequence[str]) -> Iterator[str]:
    if not block:
        return
    text = "\n".join(block)
    yield fenced(text, "pycon") if text.startswith(_DOCTEST) else text


def escaped(words: str) -> str:
    """Return words in which no character is taken for Markdown's, code in backticks aside."""
    parts = words.split("`")
    return "`".join(
        part if n % 2 else _MARKUP.sub(r"\\\g<0>", part) for n, part in enumerate(parts)
    )
