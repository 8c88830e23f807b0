"""Arrow schemas of the tables that stages exchange.

A schema is the exact, cheap half of a contract; the Great Expectations suites in
`data_contracts.suites` are the other half. Raise SCHEMA_VERSION when a column changes.
"""

from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 2

# Kind of the rows that are no part of the task: they keep a model from forgetting.
REPLAY = "replay"


def _column(name: str, type_: pa.DataType, nullable: bool = False) -> "pa.Field[Any]":
    return pa.field(name, type_, nullable=nullable)


_MESSAGE = pa.struct([_column("role", pa.string()), _column("content", pa.string())])
_PAGE = pa.struct(
    [_column("page", pa.int32()), _column("start", pa.int64()), _column("end", pa.int64())]
)

_COUNT = pa.struct([_column("kind", pa.string()), _column("count", pa.int64())])
_SCORE = pa.struct([_column("name", pa.string()), _column("score", pa.float64())])
_CHUNK_OF = pa.struct([_column("document_id", pa.string()), _column("chunk_id", pa.string())])

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
        _column("language", pa.string(), nullable=True),  # ISO 639-1; null where it cannot be told
        _column("date", pa.string(), nullable=True),  # YYYY-MM-DD, as the document itself states
        _column("licence", pa.string(), nullable=True),  # as the document states it
        _column("flags", pa.list_(pa.string())),  # what a person should look at: instructions, ...
        # what cleaning and scrubbing changed: boilerplate_line, encoding, scrubbed.email, ...
        _column("changes", pa.list_(_COUNT)),
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
        _column("language", pa.string(), nullable=True),  # of the document
        _column("flags", pa.list_(pa.string())),  # the passage gives orders to a model, ...
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
        # further chunks that the row rests on: second hop, comparison, distractors
        _column("other_chunks", pa.list_(_CHUNK_OF)),
        _column("fact_id", pa.string(), nullable=True),  # rows about one fact share it
        _column("language", pa.string(), nullable=True),  # of the question
        _column("flags", pa.list_(pa.string())),  # of its chunk, and what judges add
        # what later stages learn about the row
        _column("scores", pa.list_(_SCORE)),  # one verdict a judge: faithfulness, relevance, ...
        _column("knowledge", pa.string(), nullable=True),  # does the base model know it already
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

# What an examination found: one row for each question and measure.
MEASUREMENT = pa.schema(
    [
        _column("set", pa.string()),  # name of the examination
        _column("name", pa.string()),  # its arm, or the skill
        _column("row_id", pa.string()),
        _column("cluster", pa.string()),  # rows of one document are not independent
        _column("measure", pa.string()),
        _column("better", pa.string()),  # lower, higher
        _column("value", pa.float64()),
        _column("prompt", pa.string(), nullable=True),
        _column("reference", pa.string(), nullable=True),
        _column("generated", pa.string(), nullable=True),
    ]
)

MEMORY = pa.schema(
    [
        _column("set", pa.string()),  # train, test, canary
        _column("row_id", pa.string()),
        _column("cluster", pa.string()),  # rows of one document are not independent
        _column("n_tokens", pa.int64()),  # scored tokens
        _column("cross_entropy", pa.float64()),  # mean nats per token, asked without a passage
        _column("hardest", pa.float64()),  # the same of its least likely tokens (min-k %)
        _column("prompt", pa.string(), nullable=True),  # question, and how the answer begins
        _column("reference", pa.string(), nullable=True),  # how it goes on
        _column("generated", pa.string(), nullable=True),  # how the model goes on
        _column("copied", pa.bool_(), nullable=True),  # ... word by word
        _column("common_words", pa.int64(), nullable=True),  # longest run found in training text
        _column("copied_ngrams", pa.float64(), nullable=True),  # share of n-grams found there
        _column("exposure", pa.float64(), nullable=True),  # of a canary, in bits
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


def blank_row(schema: pa.Schema) -> dict[str, Any]:
    """Return a row with nothing in it yet: empty lists, and None elsewhere."""
    return {field.name: [] if pa.types.is_list(field.type) else None for field in schema}
