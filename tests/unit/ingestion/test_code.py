"""Source code: prose from comments, code in fences, sections by definition."""

from pathlib import Path

import pytest

from tasks.ingestion.clean import clean_document
from tasks.ingestion.comments import comment_to_markdown
from tasks.ingestion.parser import ParsedDocument
from tasks.ingestion.parsers.code import CodeParser

PYTHON = '''#!/usr/bin/env python
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Fares of *the* ferry."""

LENGTH = 5.5  # metres


@cache
def fare(route: int) -> float:
    """Return the fare.

    Args:
        route: Its number, from 1
            to 5.
        child: Whether half is paid.

    >>> fare(1)
    9.4
    """
    # inner comment
    return 9.4


class Ticket:
    def price(self) -> float:
        """Return the `price` in __euros__."""
        return 1.0
'''


def parse(name: str, text: str) -> ParsedDocument:
    return CodeParser().parse(Path(name), text.encode())


def test_python() -> None:
    parsed = parse("fares.py", PYTHON)
    assert (parsed.title, parsed.licence) == ("fares.py", "MIT OR Apache-2.0")
    before, function, ticket = parsed.text.split("\n\n## ")
    assert before.endswith("```python\nLENGTH = 5.5  # metres\n```")
    assert function == (
        "fare\n\nReturn the fare.\n\nArgs:\n\n- route: Its number, from 1 to 5.\n"
        "- child: Whether half is paid.\n\n```pycon\n>>> fare(1)\n9.4\n```\n\n"
        "```python\n@cache\ndef fare(route: int) -> float:\n    # inner comment\n"
        "    return 9.4\n```"
    )
    assert "`price`: Return the `price` in" in ticket
    clean = clean_document(parsed, CodeParser.inline_markup).text
    assert "Fares of *the* ferry." in clean
    assert "Return the price in __euros__." in clean
    assert "    # inner comment\n    return 9.4" in clean


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "a.ts",
            "/**\n * Returns the fare.\n * @param route Its number\n */\n"
            "export function fare(route: number) {\n  return 9; // cheap\n}\n",
            "## fare\n\nReturns the fare.\n\n- param route Its number\n\n```typescript\n"
            "export function fare(route: number) {\n  return 9; // cheap\n}\n```",
        ),
        (
            "J.java",
            "/** A ticket. */\npublic class Ticket {\n    /** Its price. */\n"
            "    public int price() { return 1; }\n}\n",
            "## Ticket\n\nA ticket.\n\n`price`: Its price.\n\n```java\npublic class Ticket {\n"
            "    public int price() { return 1; }\n}\n```",
        ),
        (
            "m.go",
            "// Package fares.\npackage fares\n\n// Fare is paid.\nfunc Fare() {}\n",
            "Package fares.\n\n```go\npackage fares\n```\n\n## Fare\n\nFare is paid.\n\n"
            "```go\nfunc Fare() {}\n```",
        ),
        (
            "l.rs",
            "//! Fares.\n\n/// The fare.\n#[inline]\npub fn fare() {}\n",
            "Fares.\n\n## fare\n\nThe fare.\n\n```rust\n#[inline]\npub fn fare() {}\n```",
        ),
        (
            "s.sql",
            "-- The routes.\nCREATE TABLE route (id int);\n",
            "## route\n\nThe routes.\n\n```sql\nCREATE TABLE route (id int);\n```",
        ),
        (
            "c.toml",
            "# The fleet.\n[fleet]\nships = 6\n",
            "## fleet\n\nThe fleet.\n\n```toml\n[fleet]\nships = 6\n```",
        ),
        (
            "c.yaml",
            "# How many ships\nships: 6\nports:\n  # inner\n  - Stell\n",
            "How many ships\n\n```yaml\nships: 6\nports:\n  # inner\n  - Stell\n```",
        ),
        ("f.c", "#include <a.h>\nint a; /* x */\n", "```c\n#include <a.h>\nint a; /* x */\n```"),
        ("r.sh", "#!/bin/sh\necho '```'\n", "````bash\n#!/bin/sh\necho '```'\n````"),
    ],
)
def test_languages(name: str, text: str, expected: str) -> None:
    assert parse(name, text).text == expected


def test_comments_as_lists_and_without_rulers() -> None:
    source = "# =====\n# Steps\n#\n# - one\n#   more\n# - two\n# ====="
    assert comment_to_markdown(source) == "Steps\n\n- one more\n- two"


def test_line_comments_of_one_margin_are_one_and_names_keep_their_underscores() -> None:
    text = "# A process\n# takes (some\n# time).\nx = 1\n\n\ndef __call__():\n    return 1\n"
    parsed = parse("x.py", text)
    assert parsed.text.startswith("A process takes (some time).\n\n```python")
    assert "\n\n## __call__\n\n" in clean_document(parsed, CodeParser.inline_markup).text


def test_a_huge_file_is_not_taken_apart() -> None:
    text = "# words\nx = 1\n" * 50_000
    assert parse("x.py", text).text.startswith("```python\n# words")
