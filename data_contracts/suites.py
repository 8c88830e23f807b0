"""The Great Expectations suite of every table that passes between stages.

A suite states what the *content* must be; the Arrow schemas state the form. Each entry is
a list of (expectation type, arguments): plain data, so that this module stays cheap to
import. `data_contracts.validation` turns them into Great Expectations objects.
"""

from typing import Any

Expectation = tuple[str, dict[str, Any]]

# Asked of a text's length, and of its two ends: the texts themselves can be larger than memory.
LENGTHS, ENDS = "lengths", "ends"

SPLITS = ("train", "validation", "test")

# The column that names a row in messages about broken rules.
ROW_ID = {
    "ingestion": "path",
    "chunking": "chunk_id",
    "generation": "example_id",
    "import": "example_id",
    "judging": "example_id",
    "curation": "example_id",
    "selection": "example_id",
    "splitting": "example_id",
    "augmentation": "example_id",
    "withdrawal": "example_id",
    "prediction": "row_id",
    "measurement": "row_id",
    "memorisation": "row_id",
}


def _unique(column: str) -> Expectation:
    return ("ExpectColumnValuesToBeUnique", {"column": column})


def _not_null(column: str) -> Expectation:
    return ("ExpectColumnValuesToNotBeNull", {"column": column})


def _length(column: str, low: int, high: int) -> Expectation:
    bounds = {"column": column, "min_value": low, "max_value": high}
    return (LENGTHS, bounds)


def _between(column: str, low: float, high: float | None) -> Expectation:
    bounds = {"column": column, "min_value": low, "max_value": high}
    return ("ExpectColumnValuesToBeBetween", bounds)


def _matches(column: str, regex: str) -> Expectation:
    return ("ExpectColumnValuesToMatchRegex", {"column": column, "regex": regex})


def _no_space_at_the_ends(column: str) -> Expectation:
    return (ENDS, {"column": column, "regex": r"^\S+\Z"})  # more than two where HTML is escaped


def _one_of(column: str, values: tuple[str, ...]) -> Expectation:
    return ("ExpectColumnValuesToBeInSet", {"column": column, "value_set": list(values)})


_AT_LEAST_ONE_ROW: Expectation = ("ExpectTableRowCountToBeBetween", {"min_value": 1})

_EXAMPLE: list[Expectation] = [
    _AT_LEAST_ONE_ROW,
    _unique("example_id"),
    _not_null("document_id"),
    _not_null("chunk_id"),
    # Longer ones would be cut by any usual context. "Hi" is a question in a conversation.
    _length("question", 2, 8_000),
    _length("answer", 1, 8_000),
    # Text that starts or ends in white space tokenises differently in training and serving.
    _no_space_at_the_ends("question"),
    _no_space_at_the_ends("answer"),
    _between("grounding", 0.0, 1.0),
]

_SPLIT_EXAMPLE = [
    *_EXAMPLE, _not_null("group_id"), _not_null("split"), _one_of("split", SPLITS),
]  # fmt: skip

SUITES: dict[str, list[Expectation]] = {
    "ingestion": [
        _AT_LEAST_ONE_ROW,
        _unique("document_id"),
        _unique("path"),
        _matches("path", r"^(?!/)(?!.*(?:^|/)\.\./)"),  # relative, and never climbing out
        _matches("sha256", r"^[0-9a-f]{64}$"),
        _length("text", 1, 50_000_000),
    ],
    "chunking": [
        _AT_LEAST_ONE_ROW,
        _unique("chunk_id"),
        _not_null("document_id"),
        _length("text", 1, 100_000),
        _between("n_tokens", 1, None),
        _between("start", 0, None),
    ],
    "generation": [*_EXAMPLE, _not_null("grounding")],
    "import": _EXAMPLE,  # grounding is null: there is no passage to check against
    "judging": _EXAMPLE,
    "curation": [*_EXAMPLE, _not_null("group_id")],
    "selection": [*_EXAMPLE, _not_null("group_id")],
    "splitting": _SPLIT_EXAMPLE,
    "augmentation": _SPLIT_EXAMPLE,
    "withdrawal": _SPLIT_EXAMPLE,
    "prediction": [
        _AT_LEAST_ONE_ROW,
        ("ExpectCompoundColumnsToBeUnique", {"column_list": ["set", "row_id"]}),
        _between("cross_entropy", 0.0, None),
        _between("n_tokens", 1, None),
        _between("token_f1", 0.0, 1.0),
        _between("exact_match", 0.0, 1.0),
    ],
    "measurement": [
        # none at all where the dataset holds no row of the sorts that are examined
        ("ExpectCompoundColumnsToBeUnique", {"column_list": ["set", "name", "row_id", "measure"]}),
        _one_of("better", ("lower", "higher")),
    ],
    "memorisation": [
        _AT_LEAST_ONE_ROW,
        ("ExpectCompoundColumnsToBeUnique", {"column_list": ["set", "row_id"]}),
        _one_of("set", ("train", "test", "canary")),
        _between("cross_entropy", 0.0, None),
        _between("n_tokens", 1, None),
        _between("copied_ngrams", 0.0, 1.0),
        _between("exposure", 0.0, None),
    ],
}
