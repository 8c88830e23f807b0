"""Synthetic documents with planted copies, for the benchmarks of near-duplicates."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

VOCABULARY = 20_000
ROWS = 10_000


def vocabulary(random: Random) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(random.choices(letters, k=random.randint(2, 10))) for _ in range(VOCABULARY)]


def edited(words: list[str], edits: int, random: Random, known: list[str]) -> list[str]:
    """Replace as many words, anywhere."""
    copy = list(words)
    for place in random.sample(range(len(copy)), edits):
        copy[place] = random.choice(known)
    return copy


def families(count: int, length: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield `count` names and texts; a twentieth are originals with one to three copies.

    A copy is exact or has one word replaced: of 60 words in shingles of five, Jaccard
    similarity 0.836 at least. The name begins with the family; copies lie up to 10,000 rows
    from their original.
    """
    random = Random(seed)
    known, family, made = vocabulary(random), 0, 0
    waiting: list[tuple[str, str]] = []
    while made < count or waiting:
        while made < count and len(waiting) < ROWS:
            words = random.choices(known, k=length)
            copies = random.randint(1, 3) if random.random() < 0.05 else 0
            for copy in range(min(1 + copies, count - made)):
                text = edited(words, random.choice((0, 1)), random, known) if copy else words
                waiting.append((f"{family:09}-{copy}", " ".join(text)))
                made += 1
            family += 1
        random.shuffle(waiting)
        yield from waiting[: len(waiting) // 2 + 1]
        del waiting[: len(waiting) // 2 + 1]


def write_families(path: Path, count: int, length: int, seed: int) -> None:
    """Write them as Parquet with the columns id and text."""
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        rows: list[tuple[str, str]] = []
        for row in families(count, length, seed):
            rows.append(row)
            if len(rows) == ROWS:
                writer.write_table(_table(rows, schema))
                rows = []
        writer.write_table(_table(rows, schema))


def _table(rows: list[tuple[str, str]], schema: pa.Schema) -> pa.Table:
    return pa.table([[row[0] for row in rows], [row[1] for row in rows]], schema=schema)
