"""Where sentences end."""

import re

# An end mark, closing quotation marks, white space, and then no small letter.
_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+(?=[^\sa-z])|[。！？]\s*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|no|nr|fig|dr|mr|mrs|ms|prof|st|u\.s|[A-Z])\.\s+$",
    re.IGNORECASE,
)


def sentence_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the spans of the sentences in `text[start:end]`, without the space between them."""
    spans = []
    begin = start
    for found in _END.finditer(text, start, end):
        if _ABBREVIATION.search(text, max(begin, found.start() - 12), found.end()):
            continue
        spans.append((begin, found.end()))
        begin = found.end()
    spans.append((begin, end))
    stripped = [_strip(text, *span) for span in spans]
    return [span for span in stripped if span[0] < span[1]]


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    return start, start + len(inner.strip())
