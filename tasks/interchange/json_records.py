"""Records of JSON lines and of JSON arrays, read as a stream."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from tasks.interchange.conversation import Refused, excerpt
from tasks.interchange.record import MAX_RECORD_CHARACTERS, Record

_BLOCK_CHARACTERS = 1_000_000
_WHITE_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_lines(path: Path, encoding: str) -> Iterator[Record]:
    """Yield a record for each line that is not empty.

    Raises:
        UnicodeDecodeError: The first bytes already are not in that encoding.
    """
    # Bytes that do not decode become surrogates, so that one bad line spoils no other.
    with _text(path, encoding, "surrogateescape") as stream:
        number = 0
        while line := stream.readline(MAX_RECORD_CHARACTERS):
            number += 1
            if not line.endswith("\n") and len(line) == MAX_RECORD_CHARACTERS:
                _skip_line(stream)
                yield _refused(number, line, "too_long", "The line is longer than 10 MB.")
            elif line.strip():
                yield _parsed(number, line)


def _skip_line(stream: io.TextIOWrapper) -> None:
    while (rest := stream.readline(_BLOCK_CHARACTERS)) and not rest.endswith("\n"):
        pass


def _parsed(number: int, text: str) -> Record:
    if _SURROGATE.search(text):
        return _refused(number, text, "undecodable", "The line is not valid UTF-8.")
    try:
        value = json.loads(text)
    except RecursionError:
        return _refused(number, text, "not_json", "The line is nested too deeply.")
    except ValueError as error:
        return _refused(number, text, "not_json", f"The line is no JSON: {error}.")
    return _record(number, value, text)


def _record(number: int, value: Any, raw: str) -> Record:
    if not isinstance(value, dict):
        detail = f"Expected an object {{...}}, got {excerpt(value)}."
        return _refused(number, raw, "wrong_form", detail)
    if _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        return _refused(number, raw, "undecodable", "A text holds half of a character (\\ud8..).")
    return Record(number, value)


def _refused(number: int, raw: str, reason: Any, detail: str) -> Record:
    shown = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", excerpt(raw.strip(), 300))
    return Record(number, None, Refused(reason, detail), shown)


def read_array(path: Path, encoding: str) -> Iterator[Record]:
    """Yield a record for each element of a JSON array, holding one at a time.

    Where the JSON is broken, the rest of the file is one record with that reason: there is
    no telling where the next element begins.

    Raises:
        UnicodeDecodeError: The file is not in that encoding.
    """
    with _text(path, encoding, "strict") as stream:
        elements = _Elements(stream)
        number = 0
        while elements.more():
            number += 1
            try:
                value, raw = elements.take()
            except Refused as problem:
                yield _refused(number, elements.rest(), problem.reason, problem.detail)
                return
            yield _record(number, value, raw)


class _Elements:
    """The elements of a JSON array that is read in blocks."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream, self._decoder = stream, json.JSONDecoder()
        self._text, self._at, self._ended = "", 0, False
        self._pass_over("[")

    def more(self) -> bool:
        """Whether another element follows, or should follow: the bracket is not closed."""
        self._pass_over("")
        return not self._text.startswith("]", self._at)

    def take(self) -> tuple[Any, str]:
        """Return the next element and its text.

        Raises:
            Refused: The JSON is broken here.
        """
        value, end = self._decode()
        raw, self._at = self._text[self._at : end], end
        self._pass_over(",")
        return value, raw

    def rest(self) -> str:
        """Return the start of what stands where reading stopped."""
        return self._text[self._at : self._at + _BLOCK_CHARACTERS]

    def _decode(self) -> tuple[Any, int]:
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise Refused("not_json", "The element is nested too deeply.") from error
            except ValueError as error:
                if self._ended:
                    detail = f"The array breaks off here, or is no JSON: {error}."
                    raise Refused("not_json", detail) from error
            else:
                if end < len(self._text) or self._ended:  # a number could go on in the next block
                    return value, end
            if len(self._text) - self._at > MAX_RECORD_CHARACTERS:
                raise Refused("too_long", "No element ends within 10 MB, or the JSON is broken.")
            self._fill()

    def _pass_over(self, mark: str) -> None:
        """Move past white space and, if it comes next, past a mark."""
        self._blank()
        if mark and self._text.startswith(mark, self._at):
            self._at += len(mark)
            self._blank()

    def _blank(self) -> None:
        while True:
            self._at = _WHITE_SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text) or not self._fill():
                return

    def _fill(self) -> bool:
        # At least as much again as is waiting, so that a long element is not tried too often.
        block = self._stream.read(max(_BLOCK_CHARACTERS, len(self._text) - self._at))
        self._ended = not block
        self._text, self._at = self._text[self._at :] + block, 0
        return not self._ended


def _text(path: Path, encoding: str, errors: str) -> io.TextIOWrapper:
    stream = pa.input_stream(str(path), compression="detect")
    binary = cast("BinaryIO", stream)
    return io.TextIOWrapper(binary, encoding=encoding, errors=errors, newline="\n")
