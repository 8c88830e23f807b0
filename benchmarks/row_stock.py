"""Rows that rules make of real documents, and the words that those documents hold."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.generation.base import ChunkView, RuleGenerator
from tasks.generation.config import GenerationConfig
from tasks.generation.documents import Sources
from tasks.ingestion.chunk import chunk_documents
from tasks.ingestion.config import ChunkingConfig, IngestionConfig
from tasks.ingestion.ingest import ingest_documents

HANDBOOK = Path("../shared/data/docs/18f-handbook")
EXAMPLES = Path("examples/handbook")

NUMBER = re.compile(r"(?<![\w.,/-])\d[\d,]*(?:\.\d+)?(?![\w/-])")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*")


@dataclass(frozen=True)
class Row:
    """A question with its answer and the passage that must hold it.

    Attributes:
        kind: Of the question.
        question: The question.
        answer: The answer.
        passage: The passage.
        headings: Title and headings.
        document: Which document it is from.
        defect: What was made wrong; empty for a right row.
        wording: How a right row was reworded; empty for its first wording.
    """

    kind: str
    question: str
    answer: str
    passage: str
    headings: tuple[str, ...]
    document: str
    defect: str = ""
    wording: str = ""


@dataclass
class Stock:
    """What the documents hold, to make rows wrong with."""

    rows: list[Row]
    numbers: list[str] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    sentences: list[tuple[str, str]] = field(default_factory=list)


def load_stock(folders: Sequence[Path], documents: int, seed: int) -> Stock:
    """Return rows made by rules, unchecked, from some documents of each folder."""
    stock = Stock([])
    for folder in folders:
        if folder.is_dir():
            _add_folder(stock, folder, documents, random.Random(seed))
    return stock


def _add_folder(stock: Stock, folder: Path, documents: int, chance: random.Random) -> None:
    with TemporaryDirectory() as cache:
        read = ingest_documents(folder, IngestionConfig(), Path(cache)).kept
    chunks = chunk_documents(read, ChunkingConfig(), _count_tokens).kept
    sources = list(Sources(chunks, read))
    for source in chance.sample(sources, min(documents, len(sources))):
        for chunk in source.chunks:
            stock.rows += _rows(chunk.view, source.document_id)
        _add_words(stock, source.text, source.document_id)


def _count_tokens(texts: Sequence[str]) -> list[int]:
    """Count about as the base model's tokenizer does, without loading it."""
    return [len(text) // 4 for text in texts]


def _rows(view: ChunkView, document: str) -> list[Row]:
    headings = (view.name, *view.headings)
    return [
        Row(c.kind, c.question, c.answer, view.passage, headings, document)
        for generator in GenerationConfig().generators
        if isinstance(generator, RuleGenerator)
        for c in generator.generate(view)
    ]


def _add_words(stock: Stock, text: str, document: str) -> None:
    stock.numbers += NUMBER.findall(text)
    stock.names += [(name, document) for name in NAME.findall(text)]
    stock.units += re.findall(r"(?<![\w.,/-])\d[\d,]* ([a-z]{3,}s)\b", text)
    prose = re.findall(r"(?<=[.] )[A-Z][a-z ,'-]{40,120}[.](?= )", text)
    stock.sentences += [(sentence, document) for sentence in prose]
