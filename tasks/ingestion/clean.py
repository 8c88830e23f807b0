"""Cleaning: Unicode, white space and markup of each document; then lines they all share."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.markup import plain_markdown
from tasks.ingestion.parser import PageSpan, ParsedDocument

_INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0e-\x1f\x7f]"
)
_SPACES = re.compile(r"[\t\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_TRAILING = re.compile(r"[ ]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")
_DIGITS = re.compile(r"\d+")
# Headings, table rows and code fences give a text its form; "## Contact" may stand in
# every document and still head what is particular to each.
_STRUCTURE = re.compile(r"^\s*(#{1,6} |\||```|~~~)")
_LIST_MARK = re.compile(r"^\s*(- |\d+\. )")


@dataclass(frozen=True)
class CleanText:
    """A cleaned text with its page spans."""

    text: str
    pages: tuple[PageSpan, ...] = ()


def clean_document(parsed: ParsedDocument, inline_markup: bool) -> CleanText:
    """Clean one document by itself.

    Args:
        parsed: As the parser returned it.
        inline_markup: See `Parser.inline_markup`.
    """
    text, pages = parsed.text, parsed.pages
    return _rewrite(text, pages, lambda part: _clean(part, inline_markup))


def find_boilerplate(texts: Sequence[str], config: IngestionConfig) -> dict[str, int]:
    """Return the lines that too many documents share, normalised, with how many have them."""
    counts = Counter(key for text in texts for key in {_key(line) for line in text.split("\n")})
    least = max(config.boilerplate_min_documents, int(config.boilerplate_share * len(texts)) + 1)
    return {key: n for key, n in sorted(counts.items()) if key and n >= least}


def remove_boilerplate(clean: CleanText, boilerplate: frozenset[str]) -> CleanText:
    """Take the lines out of one document."""
    if not any(_key(line) in boilerplate for line in clean.text.split("\n")):
        return clean
    return _rewrite(clean.text, clean.pages, lambda part: _without(part, boilerplate))


def _key(line: str) -> str:
    """Return what makes two lines the same: case, numbers and list marks aside."""
    if _STRUCTURE.match(line):
        return ""
    return _DIGITS.sub("0", " ".join(_LIST_MARK.sub("", line).casefold().split()))


def _without(text: str, boilerplate: frozenset[str]) -> str:
    kept = [line for line in text.split("\n") if _key(line) not in boilerplate]
    return _BLANK_LINES.sub("\n\n", "\n".join(kept)).strip()


def _clean(text: str, inline_markup: bool) -> str:
    plain = plain_markdown(repair(text), inline_markup)
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", plain)).strip()


def repair(text: str) -> str:
    """Mend mis-decoded characters, take out invisible ones, normalise to NFC."""
    import ftfy

    # quotation marks and entities are the author's; only damage is mended
    config = ftfy.TextFixerConfig(uncurl_quotes=False, unescape_html=False, normalization="NFC")
    return _SPACES.sub(" ", _INVISIBLE.sub("", ftfy.fix_text(text, config)))


def _rewrite(text: str, pages: Sequence[PageSpan], change: Callable[[str], str]) -> CleanText:
    """Change a text page by page, so that the spans of its pages stay right."""
    if not pages:
        return CleanText(change(text))
    changed, spans, end = "", list[PageSpan](), 0
    for page in pages:
        part = change(text[page.start : page.end])
        separator = text[end : page.start] if changed and part else ""
        start = len(changed) + len(separator)
        changed += separator + part
        spans.append(PageSpan(page.page, start, len(changed)))
        end = page.end
    return CleanText(changed, tuple(spans))
