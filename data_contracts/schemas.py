"""Arrow schemas of the tables that stages exchange.

A schema is the exact, cheap half of a contract; the Great Expectations suites in
`data_contracts.suites` are the other half. Raise SCHEMA_VERSION when a column changes.
"""

from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 1


def _column(name: str, type_: pa.DataType, nullable: bool = False) -> "pa.Field[Any]":
    return pa.field(name, type_, nullable=nullable)


_MESSAGE = pa.struct([_column("role", pa.string()), _column("content", pa.string())])
_PAGE = pa.struct(
    [_column("page", pa.int32()), _column("start", pa.int64()), _column("end", pa.int64())]
)

DOCUMENT = pa.schema(
    [
        _column("document_id", pa.string()),  # stable: hash of the relative path
        _column("path", pa.string()),  # relative to the documents folder, POSIX
        _column("sha256", pa.string()),  # of the file's bytes
        _column("media_type", pa.string()),  # by content, not by extension
        _column("parser", pa.string()),
        _column("title", pa.string()),
        _column("raw_text", pa.string()),  # as parsed: Markdown-like text
        _column("text", pa.string()),  # after cleaning; spans refer to this
        _column("pages", pa.list_(_PAGE)),  # spans in `text`; empty where a format has no pages
    ]
)

CHUNK = pa.schema(
    [
        _column("chunk_id", pa.string()),
        _column("document_id", pa.string()),
        _column("chunk_index", pa.int32()),  # position in its document, from 0
        _column("title", pa.string()),  # of the document
        _column("heading_path", pa.list_(pa.string())),  # outermost heading first
        _column("text", pa.string()),  # equals document.text[start:end]
        _column("start", pa.int64()),
        _column("end", pa.int64()),
        _column("page", pa.int32(), nullable=True),  # page on which the chunk starts
        _column("n_tokens", pa.int32()),  # in the base model's own tokens
    ]
)

EXAMPLE = pa.schema(
    [
        _column("example_id", pa.string()),
        _column("kind", pa.string()),  # what sort of question: definition, list, ...
        _column("history", pa.list_(_MESSAGE)),  # earlier turns; empty for a single turn
        _column("context", pa.string(), nullable=True),  # passage given with the question
        _column("question", pa.string()),
        _column("answer", pa.string()),
        # where the row comes from; carried up to the registered model version
        _column("document_id", pa.string()),
        _column("chunk_id", pa.string()),
        _column("evidence_start", pa.int64(), nullable=True),  # span in the document's text
        _column("evidence_end", pa.int64(), nullable=True),
        _column("page", pa.int32(), nullable=True),
        _column("generator", pa.string()),
        _column("generator_model", pa.string(), nullable=True),
        _column("prompt_sha256", pa.string(), nullable=True),
        _column("parent_id", pa.string(), nullable=True),  # the row this one was derived from
        # what later stages learn about the row
        _column("grounding", pa.float64(), nullable=True),  # share of the answer its chunk supports
        _column("group_id", pa.string(), nullable=True),  # set by curation
        _column("split", pa.string(), nullable=True),  # set by splitting
    ]
)

PREDICTION = pa.schema(
    [
        _column("set", pa.string()),  # test, validation, train, general_text, general_skill
        _column("name", pa.string()),  # kind of question, or name of the skill
        _column("row_id", pa.string()),
        _column("cluster", pa.string()),  # rows of one document are not independent
        _column("n_tokens", pa.int64()),  # scored tokens
        _column("cross_entropy", pa.float64()),  # mean nats per scored token
        _column("correct", pa.bool_(), nullable=True),  # multiple choice only
        _column("prompt", pa.string(), nullable=True),
        _column("reference", pa.string(), nullable=True),
        _column("generated", pa.string(), nullable=True),
        _column("exact_match", pa.float64(), nullable=True),
        _column("token_f1", pa.float64(), nullable=True),
        _column("stopped", pa.bool_(), nullable=True),  # the model ended its answer by itself
    ]
)

DROP_COLUMNS = (
    _column("reason", pa.string()),  # one word of the stage's vocabulary
    _column("detail", pa.string()),  # a sentence for a person
    _column("duplicate_of", pa.string(), nullable=True),
    _column("similarity", pa.float64(), nullable=True),
)


def dropped_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema of the dropped rows beside a table of `schema`.

    Every column of the kept rows may be null there: an unreadable file has no text.
    """
    return pa.schema([field.with_nullable(True) for field in schema] + list(DROP_COLUMNS))
