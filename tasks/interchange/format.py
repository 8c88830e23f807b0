"""What a format is: one shape of record, whatever file the records lie in."""

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from data_contracts.base import Config
from data_contracts.errors import ConfigError
from tasks.interchange.conversation import Conversation
from tasks.registry import Registry

Row = Mapping[str, Any]
Fields = frozenset[str]


class CannotHold(ConfigError):
    """A row has something that the format has no place for."""


class Format(Config):
    """Reads one shape of record. A subclass names itself in a `Literal` field `format`."""

    # What rows are called when neither the source nor the record says.
    kind: ClassVar[str]
    # One record, as messages and guides show it.
    shape: ClassVar[str]

    @abstractmethod
    def matches(self, record: Row) -> bool:
        """Return whether a record looks like one of this format."""

    @abstractmethod
    def read(self, record: Row) -> Conversation:
        """Return the conversation of a record.

        Raises:
            Refused: The record is not of this form.
        """


class WritableFormat(Format):
    """A format that datasets can be exported to.

    All files of an export have the same fields: `datasets` takes the types of the first file
    for all of them. So what only some rows need (a system message, a history) is there in
    every record, or in none.
    """

    extension: ClassVar[str] = ".jsonl"
    # What a person should know who trains on the file.
    note: ClassVar[str]

    def needed(self, row: Row) -> Fields:
        """Return which of the optional fields a row needs.

        Raises:
            CannotHold: The format has no place for something in the row.
        """
        return frozenset()

    @abstractmethod
    def record(self, row: Row, fields: Fields) -> dict[str, Any]:
        """Return the record of an EXAMPLE row.

        Args:
            row: The row.
            fields: The optional fields that some row of the export needs.
        """

    @abstractmethod
    def features(self, fields: Fields) -> list[dict[str, Any]]:
        """Return the types of the fields, as a dataset card tells them to `datasets`.

        Empty where the file itself tells them.
        """

    def save(self, rows: Iterable[Row], fields: Fields, path: Path) -> None:
        """Write rows to a file, one record a line."""
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            for row in rows:
                stream.write(json.dumps(self.record(row, fields), ensure_ascii=False) + "\n")


def texts(*names: str) -> list[dict[str, Any]]:
    """Return the types of fields that hold text."""
    return [{"name": name, "dtype": "string"} for name in names]


FORMATS: Registry[Format] = Registry("format", "tasks.interchange.formats", "format")


def format_name(form: Format) -> str:
    """Return the name under which a format is registered."""
    return str(type(form).model_fields[FORMATS.discriminator].default)


def writable_formats() -> dict[str, type[WritableFormat]]:
    """Return the formats that datasets can be exported to, by name."""
    return {
        name: member
        for name in FORMATS.names()
        if issubclass(member := FORMATS.get(name), WritableFormat)
    }
