"""Finds out of which form the records of a file are."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from data_contracts.errors import ConfigError
from tasks.interchange.conversation import excerpt
from tasks.interchange.format import FORMATS, Format
from tasks.interchange.record import Record
from tasks.interchange.sources import DatasetFile

# So many records are looked at; a file that begins with more broken ones is not known.
_LOOKED_AT = 50


def with_form(
    file: DatasetFile, records: Iterator[Record]
) -> tuple[Format | None, Iterator[Record]]:
    """Return the form of a file's records, and all of them.

    The form is None for a file without a record.

    Raises:
        ConfigError: The records are of no known form.
    """
    first = list(islice(records, _LOOKED_AT))
    return _form_of(file, first) if first else None, chain(first, records)


def _form_of(file: DatasetFile, records: Sequence[Record]) -> Format:
    for record in records:
        for form in FORMATS:
            if record.value is not None and form().matches(record.value):
                return form()
    raise ConfigError(
        f"{file.path}: the records are of no known form. The first one {_described(records)}\n"
        "Known forms:\n"
        + "\n".join(f"  - {form.model_fields['format'].default}: {form.shape}" for form in FORMATS)
        + "\nWhere columns have other names, set the source's `format`, e.g. "
        "{format: table, question: Frage, answer: Antwort}."
    )


def _described(records: Sequence[Record]) -> str:
    readable = next((record for record in records if record.value), None)
    if readable is not None and readable.value is not None:
        fields = ", ".join(map(str, readable.value))
        return f"has the fields {fields} and reads: {excerpt(dict(readable.value), 300)}."
    first = records[0]
    return f"cannot be read: {first.problem} It begins with: {excerpt(first.raw, 300)}"
