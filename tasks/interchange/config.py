"""What a profile can say about datasets that exist already."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from data_contracts.base import Config
from tasks.interchange.format import FORMATS, Format


def _named(value: Any) -> Any:
    """Let `format: openai` stand for `format: {format: openai}`, and `auto` for none."""
    if isinstance(value, str):
        return None if value == "auto" else {"format": value}
    return value


class DatasetSource(Config):
    """One dataset that exists already."""

    path: str = Field(
        min_length=1,
        description="A file, a folder (also one that `datasets` saved), a Hugging Face dataset "
        "as `hf://datasets/owner/name`, or another address that fsspec can open.",
    )
    format: Annotated[FORMATS.union() | None, BeforeValidator(_named)] = Field(  # type: ignore[valid-type]
        None,
        description="The form of its records; told by the records themselves if not given. A "
        "name (`openai`), or a name with options (`{format: table, question: Frage}`).",
    )
    kind: str | None = Field(
        None, description="What its rows are called; by the format if not given."
    )
    group: str | None = Field(
        None,
        description="Field that says what a record was made from (a document, a page). Records "
        "with the same value are never torn apart by the split. Without it, each record stands "
        "for itself.",
    )
    licence: str | None = Field(None, description="Under which licence it may be used.")
    language: str | None = Field(
        None, description="ISO 639-1 code of its language; told row by row if not given."
    )
    subset: str | None = Field(
        None, description="Which configuration to read, where the dataset card names several."
    )
    splits: tuple[str, ...] = Field(
        (),
        description="Which of its own splits to read; all if not given. Their names are kept "
        "on the rows for information: Temper divides the rows itself.",
    )
    split_column: str = Field(
        "split", description="Field that names the split, where the records have one."
    )
    encoding: str = Field("utf-8", description="Of text files without a byte order mark.")

    @property
    def form(self) -> Format | None:
        """The configured format; None if it is to be found."""
        return self.format

    def split_of(self, record: dict[str, Any]) -> str | None:
        """Return the split that a record names."""
        value = record.get(self.split_column)
        return value if isinstance(value, str) and value else None


class ImportConfig(Config):
    """Which existing datasets come in, and which of their records become rows."""

    sources: tuple[DatasetSource, ...] = Field((), description="The datasets.")
    turns: Literal["all", "last"] = Field(
        "all",
        description="Of a conversation, learn every answer (a row each, with what was said "
        "before as its history) or the last one only.",
    )
    # The bounds are those of the contract for examples (data_contracts.suites).
    min_question: int = Field(
        2, ge=2, description="Shorter questions, in characters, are dropped as `too_short`."
    )
    max_question: int = Field(
        8_000, ge=8, le=8_000, description="Longer questions are dropped as `too_long`."
    )
    max_answer: int = Field(
        8_000, ge=1, le=8_000, description="Longer answers are dropped as `too_long`."
    )
    max_row: int = Field(
        20_000,
        ge=1,
        description="Rows with more characters in history, passage, question and answer are "
        "dropped as `too_long`.",
    )
    max_tokens: int = Field(
        512,
        ge=1,
        description="Rows with more tokens of the base model are dropped as `too_long`. Keep it "
        "at `training.max_length`: training refuses longer rows.",
    )
