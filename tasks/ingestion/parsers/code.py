"""Source code and settings: comments and docstrings as prose, the rest in fences.

Pygments tells comments from code. A definition that begins at the margin begins a section
with its name as heading.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from tasks.ingestion.comments import comment_to_markdown, escaped
from tasks.ingestion.decode import decode
from tasks.ingestion.fence import fenced
from tasks.ingestion.languages import LANGUAGES, code_type, told_language
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser

# Files of more characters are made by programs: they are not taken apart.
_MOST_CHARACTERS = 500_000
_DEFINITION = re.compile(
    r"\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub|"
    r"unsafe|open|sealed|data|declare)\s+)*(?:def|class|function\*?|func|fn|interface|struct|enum|"
    r"trait|impl|module|object|record|namespace)\s+(?:\([^)]*\)\s*)?(?P<name>[A-Za-z_$][\w$]*)"
    r"|\s*(?:export\s+)?const\s+(?P<arrow>\w+)\s*=\s*(?:async\s*)?\("
    r"|(?i:create\s+(?:or\s+replace\s+)?(?:table|view|function|procedure|trigger|type)\s+"
    r"(?:if\s+not\s+exists\s+)?(?P<sql>[\w.\"]+))"
    r"|(?P<shell>[\w-]+)\s*\(\)\s*\{"
    r"|\[+(?P<section>[\w.\- \"']+)\]+\s*$"
)
_CALLABLE = re.compile(r"(\w+)\s*\(")
_MARK = re.compile(r"\s*([^\w\s]{1,3})")
_SPDX = re.compile(r"SPDX-License-Identifier:\s*([\w.+-]+(?: (?:AND|OR|WITH) [\w.+-]+)*)")
_DOC_MARKS = ("/**", "///", "//!", "/*!")
# Lines that belong to the definition below them.
_ATTRIBUTE = re.compile(r"@|#\[")


@dataclass(frozen=True)
class _Comment:
    """A comment that has its lines to itself; lines count from 0, `end` is not in it."""

    start: int
    end: int
    source: str
    indent: int
    is_doc: bool


@PARSERS.register
class CodeParser(Parser):
    """Programs, scripts and settings."""

    parser: Literal["code"] = Field("code", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = tuple(
        sorted({code_type(language) for language in LANGUAGES.values()})
    )
    format_name: ClassVar[str] = "source code"
    distributions: ClassVar[tuple[str, ...]] = ("pygments",)
    inline_markup: ClassVar[bool] = True

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the file's prose and code, section by section."""
        text = decode(content)
        language = told_language(path.suffix.lower(), text) or "text"
        licence = _SPDX.search(text)
        body = fenced(text, language)
        if len(text) <= _MOST_CHARACTERS:
            lines = text.split("\n")
            body = "\n\n".join(_sections(lines, _comments(text, language), language))
        return ParsedDocument(
            text=body, title=path.name, licence=licence.group(1) if licence else ""
        )


def _comments(text: str, language: str) -> list[_Comment]:
    """Return the comments that have lines to themselves; neighbours at one margin are one."""
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Comment, String
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return []
    prose = (Comment.Single, Comment.Multiline, Comment.Special, String.Doc)
    found: list[_Comment] = []
    lines = _LineNumbers(text)
    for start, kind, value in lexer.get_tokens_unprocessed(text):
        if kind is Comment or kind in prose or any(kind in sort for sort in prose):
            comment = lines.comment(start, value, kind in String.Doc)
            if comment:
                found = _joined(found, comment)
    return found


class _LineNumbers:
    """Finds lines by offset; offsets must rise."""

    def __init__(self, text: str) -> None:
        self.text, self._offset, self._line = text, 0, 0

    def comment(self, start: int, value: str, is_doc: bool) -> _Comment | None:
        """Return a token as a comment, or None if code shares its lines."""
        stripped = value.rstrip()
        margin = self.text.rfind("\n", 0, start) + 1
        before = self.text[margin:start]
        after = self.text[start + len(stripped) :].split("\n", 1)[0]
        self._line += self.text.count("\n", self._offset, start)
        self._offset = start
        if before.strip() or after.strip(" ;,") or not stripped.strip():
            return None
        source = before + stripped
        opening = stripped.lstrip()
        first = self._line + (len(stripped) - len(stripped.lstrip("\n")))
        return _Comment(
            start=first,
            end=self._line + stripped.count("\n") + 1,
            source=source.strip("\n"),
            indent=len(before) + len(stripped) - len(stripped.lstrip(" ")),
            is_doc=is_doc or opening.startswith(_DOC_MARKS),
        )


def _mark(comment: _Comment) -> str:
    """Return the characters that make it a comment: `#`, `//`, `///`, `--`."""
    found = _MARK.match(comment.source)
    return found.group(1) if found else ""


def _joined(found: list[_Comment], comment: _Comment) -> list[_Comment]:
    """Append a comment, to the one before it if it goes on with that."""
    last = found[-1] if found else None
    goes_on = (
        last is not None
        and last.end == comment.start
        and last.indent == comment.indent
        and _mark(last) == _mark(comment)
        and not last.source.lstrip().startswith(("/*", '"', "'"))
    )
    if last is None or not goes_on:
        return [*found, comment]
    source = f"{last.source}\n{comment.source}"
    found[-1] = _Comment(last.start, comment.end, source, last.indent, last.is_doc)
    return found


def _sections(lines: Sequence[str], comments: Sequence[_Comment], language: str) -> Iterator[str]:
    """Yield the blocks of each section: heading, documentation, then comments and code."""
    taken = [comment for comment in comments if comment.is_doc or not comment.indent]
    starts = _section_starts(lines, taken)
    edges = [*sorted({0, *starts}), len(lines)]
    for start, end in pairwise(edges):
        inside = [comment for comment in taken if start <= comment.start < end]
        if start in starts:
            yield f"## {escaped(starts[start])}"
        yield from filter(None, _documentation(lines, inside))
        yield from filter(None, _code(lines, start, end, inside, language))


def _section_starts(lines: Sequence[str], comments: Sequence[_Comment]) -> dict[int, str]:
    """Return the lines where sections begin, with their names: comments above belong to them."""
    ends = {comment.end: comment.start for comment in comments if not comment.indent}
    within = {n for comment in comments for n in range(comment.start, comment.end)}
    starts: dict[int, str] = {}
    for number, line in enumerate(lines):
        name = "" if number in within or line[:1].isspace() else _name(line)
        if not name:
            continue
        start = number
        while start > 0 and (start in ends or _ATTRIBUTE.match(lines[start - 1])):
            start = ends.get(start, start - 1)
        starts[start] = name
    return starts


def _name(line: str) -> str:
    found = _DEFINITION.match(line[:300])
    return next((name for name in found.groups() if name), "").strip("\"' ") if found else ""


def _documentation(lines: Sequence[str], comments: Sequence[_Comment]) -> Iterator[str]:
    """Yield documentation; what lies deeper than the section's own says what it is about."""
    for comment in comments:
        if comment.is_doc:
            words = comment_to_markdown(comment.source)
            name = _documented(lines, comment)
            yield f"`{name}`: {words}" if name and words else words


def _documented(lines: Sequence[str], comment: _Comment) -> str:
    """Return the name of the member that a comment documents; empty for the section itself."""
    is_python = comment.source.lstrip()[:1] not in "/*#"
    near = lines[comment.end : comment.end + 3]
    if is_python:
        near = lines[max(comment.start - 8, 0) : comment.start][::-1]
    for line in near:
        indent = len(line) - len(line.lstrip())
        found = _DEFINITION.match(line[:300]) or _CALLABLE.search(line[:300])
        if found and line.strip():
            name = next((group for group in found.groups() if group), "")
            return name if indent else ""
    return ""


def _code(
    lines: Sequence[str], start: int, end: int, comments: Sequence[_Comment], language: str
) -> Iterator[str]:
    """Yield a section's comments and what lies between them; documentation is left out."""
    code: list[str] = []
    position = start
    for comment in comments:
        code += lines[position : comment.start]
        position = max(comment.end, position)
        if not comment.is_doc:
            yield fenced("\n".join(code), language)
            code = []
            yield comment_to_markdown(comment.source)
    yield fenced("\n".join([*code, *lines[position:end]]), language)
