"""Reads RTF into paragraphs: words, headings, list labels, table cells.

Written after "Rich Text Format (RTF) Specification, version 1.9.1" (Microsoft, 2008). A
reader of our own: striprtf gives the words without headings, lists and tables.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.rtf_header import RtfHeader, code_units

_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?"  # control word with its number
    rb"|\\'([0-9a-fA-F]{2})"  # one byte
    rb"|\\(.)"  # control symbol
    rb"|([{}])"
    rb"|([^\\{}\r\n]+)"
    rb"|[\r\n]+",
    re.DOTALL,
)
_DEEPEST = 1_000

# Groups whose text is no text of the document.
_SKIPPED = frozenset(
    b"annotation atnauthor atnid atndate atrfstart atrfend bkmkstart bkmkend colorschememapping "
    b"colortbl datastore fldinst filetbl fonttbl footer footerf footerl footerr ftnsep ftnsepc "
    b"aftnsep generator header headerf headerl headerr info latentstyles listoverridetable "
    b"listtable mmathPr nonshppict objdata pgdsctbl pict rsidtbl revtbl stylesheet tc template "
    b"themedata ud wgrffmtfilter xe xmlnstbl".split()
)
_LABELS = (b"listtext", b"pntext")
# Groups that readers are to skip if they do not know them, with text in them all the same.
_STARRED_TEXT = (b"shptxt", b"shpinst")
_WORDS = {
    b"tab": "\t", b"line": "\n", b"emdash": "\u2014", b"endash": "\u2013", b"lquote": "\u2018",
    b"rquote": "\u2019", b"ldblquote": "\u201c", b"rdblquote": "\u201d", b"bullet": "\u2022",
    b"emspace": " ", b"enspace": " ", b"qmspace": " ",
}  # fmt: skip
_SYMBOLS = {b"~": " ", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\t": "\t"}


@dataclass
class RtfParagraph:
    """A paragraph, or a row of a table.

    Attributes:
        text: Its words; a line feed where a line ends on purpose.
        heading: Its level by its style, 0 for none.
        size: Of its smallest characters, in half points.
        label: Its bullet or number, if it is an item of a list.
        depth: How deep in the list, from 0.
        cells: The cells of the row; None for a paragraph.
    """

    text: str = ""
    heading: int = 0
    size: int = 0
    label: str = ""
    depth: int = 0
    cells: list[str] | None = None


@dataclass(frozen=True)
class _Group:
    """What a group inherits from the one around it."""

    skipped: bool = False
    in_label: bool = False
    hidden: bool = False
    size: int = 24
    font: int = -1
    unicode_width: int = 1


@dataclass
class _Reader:
    """Goes through the tokens once and gathers paragraphs."""

    header: RtfHeader
    done: list[RtfParagraph] = field(default_factory=list)
    group: _Group = field(default_factory=_Group)
    around: list[_Group] = field(default_factory=list)
    current: RtfParagraph = field(default_factory=RtfParagraph)
    row: list[str] = field(default_factory=list)
    in_table: bool = False
    starred: bool = False
    to_skip: int = 0
    waiting: bytes = b""

    def read(self, content: bytes) -> list[RtfParagraph]:
        """Return the paragraphs.

        Raises:
            UnreadableFile: Its groups do not close, or are nested too deeply.
        """
        position, is_closed = 0, False
        while not is_closed and (token := _TOKEN.match(content, position)):
            position = token.end()
            word, number, byte, symbol, brace, text = token.groups()
            if text or byte:
                self._bytes(text or bytes([int(byte, 16)]))
                continue
            self._flush()
            if word == b"bin":
                position += max(int(number or 0), 0)
            elif word:
                self._word(word, int(number) if number else None)
            elif symbol:
                self._symbol(symbol)
            elif brace:
                is_closed = self._brace(brace)
        if not is_closed:
            raise UnreadableFile("corrupt", "The RTF ends before its last group is closed.")
        self._end_paragraph()
        self._end_row()
        return self.done

    def _bytes(self, data: bytes) -> None:
        skipped = min(self.to_skip, len(data))
        self.to_skip -= skipped
        self.waiting += data[skipped:]

    def _flush(self) -> None:
        """Decode the bytes that wait: a character of Asian encodings is several of them."""
        if self.waiting:
            encoding = self.header.fonts.get(self.group.font, self.header.encoding)
            words, self.waiting = self.waiting.decode(encoding, "replace"), b""
            self._text(words)

    def _text(self, words: str) -> None:
        group = self.group
        if group.skipped or group.hidden:
            return
        if group.in_label:
            self.current.label += words
            return
        self.current.text += words
        if words.strip():
            self.current.size = min(self.current.size or group.size, group.size)

    def _brace(self, brace: bytes) -> bool:
        """Open or close a group; return whether it was the document's."""
        self.starred, self.to_skip = False, 0
        if brace == b"{":
            if len(self.around) >= _DEEPEST:
                raise UnreadableFile("too_complex", "The RTF's groups are nested too deeply.")
            self.around.append(self.group)
            return False
        if not self.around:
            raise UnreadableFile("corrupt", "The RTF closes a group that it has not opened.")
        self.group = self.around.pop()
        return not self.around

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self.starred = True
        elif symbol in (b"\r", b"\n"):
            self._end_paragraph()
        else:
            self._text(_SYMBOLS.get(symbol, ""))

    def _word(self, word: bytes, number: int | None) -> None:
        is_unknown = self.starred and word not in _STARRED_TEXT and word not in _LABELS
        self.starred = False
        if word in _SKIPPED or is_unknown:
            self.group = replace(self.group, skipped=True)
        elif word in _LABELS:
            self.group = replace(self.group, in_label=True)
        elif word in _WORDS:
            self._text(_WORDS[word])
        elif word == b"u" and number is not None:
            self._text(chr(number & 0xFFFF))
            self.to_skip = self.group.unicode_width
        elif word in _MARKS:
            if not self.group.skipped:
                _MARKS[word](self)
        else:
            self._property(word, number)

    def _property(self, word: bytes, number: int | None) -> None:
        value = 0 if number is None else number
        match word:
            case b"fs":
                self.group = replace(self.group, size=value)
            case b"f":
                self.group = replace(self.group, font=value)
            case b"uc":
                self.group = replace(self.group, unicode_width=max(value, 0))
            case b"v":
                self.group = replace(self.group, hidden=number != 0)
            case b"plain":
                self.group = replace(self.group, size=24, hidden=False)
            case b"s":
                self.current.heading = self.header.headings.get(value, 0)
            case b"outlinelevel" if value < 6:
                self.current.heading = value + 1
            case b"ilvl":
                self.current.depth = value

    def _end_paragraph(self) -> None:
        if self.in_table:
            self.current.text += "\n"
            return
        self._end_row()
        before, self.current = self.current, RtfParagraph()
        before.text = code_units(before.text)
        before.label = code_units(before.label).strip()
        if before.text.strip():
            self.done.append(before)
        # these hold until \pard says otherwise
        self.current.heading, self.current.depth = before.heading, before.depth

    def _reset(self) -> None:
        self.current.heading = self.current.depth = 0
        self.in_table = False

    def _into_table(self) -> None:
        self.in_table = True

    def _end_cell(self) -> None:
        self.row.append(code_units(self.current.text))
        self.current = RtfParagraph()

    def _end_row(self) -> None:
        if self.row:
            self.done.append(RtfParagraph(cells=self.row))
            self.row = []
        self.in_table = False


_MARKS: dict[bytes, Callable[[_Reader], None]] = {
    b"par": _Reader._end_paragraph,
    b"sect": _Reader._end_paragraph,
    b"page": _Reader._end_paragraph,
    b"pard": _Reader._reset,
    b"intbl": _Reader._into_table,
    b"cell": _Reader._end_cell,
    b"nestcell": _Reader._end_cell,
    b"row": _Reader._end_row,
}


def read_paragraphs(content: bytes, header: RtfHeader) -> list[RtfParagraph]:
    """Return the paragraphs and table rows of an RTF file, in order.

    Raises:
        UnreadableFile: Its groups do not close, or are nested too deeply.
    """
    return _Reader(header).read(content)
