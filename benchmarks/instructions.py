"""How many orders to a language model are found, and how many ordinary sentences are flagged.

    python -m benchmarks.instructions [--set NAME=FILE.json ...]

A set is a JSON list of {"text", "label"}, label 1 for an order. Public sets are not part of
the repository; what the page says of them comes from the run that was given them.
"""

import argparse
import json
import platform
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.row_stock import EXAMPLES, HANDBOOK
from tasks.text.instructions import find_instructions
from tests.unit.text.injection_samples import BENIGN, HOSTILE, UNADDRESSED

PAGE = Path("docs/results/instructions.md")

Labelled = list[tuple[str, bool]]


def sentences(folder: Path) -> list[str]:
    """Return the sentences of a folder's Markdown documents."""
    pages = [p.read_text(encoding="utf-8", errors="ignore") for p in sorted(folder.rglob("*.md"))]
    pieces = [s.strip() for page in pages for s in re.split(r"(?<=[.!?])\s|\n", page)]
    return [piece for piece in pieces if len(piece.split()) >= 4]


def line(name: str, rows: Labelled) -> str:
    """Return a table line: orders, found, recall; ordinary texts, flagged."""
    orders = [text for text, is_order in rows if is_order]
    plain = [text for text, is_order in rows if not is_order]
    found = sum(bool(find_instructions(text)) for text in orders)
    flagged = sum(bool(find_instructions(text)) for text in plain)
    recall = f"{found / len(orders):.1%}" if orders else "-"
    precision = f"{found / (found + flagged):.1%}" if orders and plain and found else "-"
    return (
        f"| {name} | {len(orders)} | {found} | {recall} | {len(plain)} | {flagged} | {precision} |"
    )


def read_set(path: Path) -> Labelled:
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [(str(row["text"]), bool(row["label"])) for row in rows]


def page(sets: Sequence[tuple[str, Labelled]]) -> str:
    own = [(t, True) for t in (*HOSTILE, *UNADDRESSED)] + [(t, False) for t in BENIGN]
    lines = [
        "# Orders to a language model in documents",
        "",
        f"Made by `python -m benchmarks.instructions` on {datetime.now(UTC):%Y-%m-%d}, Python "
        f"{platform.python_version()}, {platform.machine()}.",
        "",
        "| set | orders | found | recall | ordinary | flagged | precision |",
        "|---|---:|---:|---:|---:|---:|---:|",
        line("own samples (the detector was mended on them)", own),
    ]
    for name, folder in (("18F handbook, sentences", HANDBOOK), ("sample handbook", EXAMPLES)):
        if folder.is_dir():
            lines.append(line(name, [(text, False) for text in sentences(folder)]))
    lines += [line(name, rows) for name, rows in sets]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=FILE")
    options = parser.parse_args()
    named = [text.split("=", 1) for text in options.set]
    text = page([(name, read_set(Path(path))) for name, path in named])
    notes = PAGE.read_text(encoding="utf-8").partition("\n## Notes")[2] if PAGE.exists() else ""
    PAGE.write_text(text + ("\n## Notes" + notes if notes else ""), encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
