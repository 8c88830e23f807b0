"""Rows that rules make of documents, drawn for reading by hand, and the verdicts counted.

python -m benchmarks.row_quality sample NAME FOLDER [--seed 1] [--rows 100] [--sheet FILE]
python -m benchmarks.row_quality table
"""

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tasks.generation.config import GenerationConfig
from tasks.generation.generate import generate_examples
from tasks.ingestion.chunk import chunk_documents
from tasks.ingestion.config import ChunkingConfig, IngestionConfig
from tasks.ingestion.ingest import ingest_documents

VERDICTS = Path("docs/results/row-verdicts")
PAGE = Path("docs/results/rows-read-by-hand.md")
NOTES = VERDICTS / "notes.md"
RIGHT, WRONG = "right", "wrong"
_Z = 1.96  # normal quantile of a 95 % interval


def build(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return all rows that the default rules keep of a folder, and what they were made of."""
    with TemporaryDirectory() as cache:
        documents = ingest_documents(folder, IngestionConfig(), Path(cache)).kept
        chunks = chunk_documents(documents, ChunkingConfig(), _count_tokens).kept
        begun = time.perf_counter()
        # every row that the rules give, whatever a profile would keep of a document
        config = GenerationConfig(max_rows_per_document=10**6)
        made = generate_examples(chunks, documents, config, None, Path(cache))
        seconds = time.perf_counter() - begun
    texts = [str(text) for text in documents.column("text").to_pylist()]
    words = sum(len(text.split()) for text in texts)
    rows = made.kept.to_pylist()
    figures = {
        "documents": documents.num_rows,
        "words": words,
        "rows": dict(Counter(row["generator"] for row in rows)),
        "seconds": round(seconds, 1),
    }
    return rows, figures


def _count_tokens(texts: Sequence[str]) -> list[int]:
    """Count about as the base model's tokenizer does, without loading it."""
    return [len(text) // 4 for text in texts]


def sample(
    rows: Sequence[dict[str, Any]], number: int, seed: int
) -> dict[str, list[dict[str, Any]]]:
    """Return up to `number` rows of each family, drawn by chance, in the order of drawing."""
    families: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: str(row["example_id"])):
        families[row["generator"]].append(row)
    return {
        name: random.Random(f"{seed} {name}").sample(own, min(number, len(own)))
        for name, own in sorted(families.items())
    }


def write_sample(options: argparse.Namespace) -> None:
    """Write one file of unread rows a family, and a sheet with their passages."""
    rows, figures = build(options.folder)
    VERDICTS.mkdir(parents=True, exist_ok=True)
    figures |= {"seed": options.seed, "about": options.about}
    _dump(VERDICTS / f"{options.name}.json", figures)
    sheet = []
    for family, drawn in sample(rows, options.rows, options.seed).items():
        lines = [_verdict_line(row, options.without_text) for row in drawn]
        path = VERDICTS / f"{options.name}-{family}.jsonl"
        path.write_text("".join(lines), encoding="utf-8")
        sheet += [json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in drawn]
    if options.sheet:
        options.sheet.write_text("".join(sheet), encoding="utf-8")
    sys.stdout.write(f"{len(sheet)} rows drawn of {len(rows)}.\n")


def _verdict_line(row: dict[str, Any], without_text: bool) -> str:
    text = {} if without_text else {"question": row["question"], "answer": row["answer"]}
    line = {"id": row["example_id"], **text, "verdict": "", "why": ""}
    return json.dumps(line, ensure_ascii=False) + "\n"


def _dump(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def wilson(right: int, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    share, spread = right / number, _Z**2 / number
    middle = share + spread / 2
    margin = _Z * sqrt(share * (1 - share) / number + spread / (4 * number))
    return (middle - margin) / (1 + spread), (middle + margin) / (1 + spread)


def page() -> str:
    """Return the results page, made of the verdicts and the notes beside them."""
    corpora = sorted(VERDICTS.glob("*.json"))
    lines = [
        "# Generated rows read by hand",
        "",
        f"Counted on {datetime.now(UTC):%Y-%m-%d} by `python -m benchmarks.row_quality table` from "
        "the verdicts in [row-verdicts](row-verdicts/notes.md), one line a row. No language model "
        "took part in making the rows. Intervals are Wilson's, 95 %.",
        "",
    ]
    for path in corpora:
        lines += _corpus(path.stem, json.loads(path.read_text(encoding="utf-8")))
    return "\n".join([*lines, NOTES.read_text(encoding="utf-8")])


def _corpus(name: str, figures: dict[str, Any]) -> list[str]:
    made = sum(figures["rows"].values())
    per = 1000 * made / figures["words"]
    lines = [
        f"## {figures['about']}",
        "",
        f"{figures['documents']} documents, {figures['words']:,} words, {made} rows "
        f"({per:.1f} per 1,000 words); sample drawn with seed {figures['seed']}.",
        "",
        "| family | rows | read | right | share | 95 % interval | what was wrong |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    everything: list[dict[str, str]] = []
    for family in sorted(figures["rows"]):
        read = _read(VERDICTS / f"{name}-{family}.jsonl")
        everything += read
        lines.append(_line(family, figures["rows"][family], read))
    lines.append(_line("**all**", made, everything))
    return [*lines, ""]


def _read(path: Path) -> list[dict[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, str]] = [json.loads(line) for line in lines]
    return [row for row in rows if row["verdict"]]


def _line(name: str, made: int, read: Sequence[dict[str, str]]) -> str:
    right = sum(row["verdict"] == RIGHT for row in read)
    if not read:
        return f"| {name} | {made} | 0 | | | | |"
    low, high = wilson(right, len(read))
    wrong = Counter(row["why"] for row in read if row["verdict"] == WRONG)
    why = ", ".join(f"{word} {count}" for word, count in wrong.most_common())
    return (
        f"| {name} | {made} | {len(read)} | {right} | {right / len(read):.0%} | "
        f"{low:.0%} to {high:.0%} | {why} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("sample")
    drawing.add_argument("name")
    drawing.add_argument("folder", type=Path)
    drawing.add_argument("--about", default="")
    drawing.add_argument("--seed", type=int, default=1)
    drawing.add_argument("--rows", type=int, default=100)
    drawing.add_argument("--sheet", type=Path)
    drawing.add_argument("--without-text", action="store_true")
    commands.add_parser("table")
    options = parser.parse_args()
    if options.command == "sample":
        options.about = options.about or options.name
        write_sample(options)
    else:
        text = page()
        PAGE.write_text(text, encoding="utf-8")
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
