"""Cleaning: what is damaged, hidden or no text in a document; then lines they all share.

Every change is counted under its kind: `encoding` (lines with mis-decoded characters),
`invisible_character`, `hyphenation`, `comment`, `hidden_element`, `template`, `navigation`,
`boilerplate_line`, and `scrubbed.email` and its sisters.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tasks.ingestion.hyphens import join_divided
from tasks.ingestion.markup import plain_markdown
from tasks.ingestion.navigation import is_navigation
from tasks.ingestion.parser import PageSpan, ParsedDocument
from tasks.ingestion.shared_lines import line_key
from tasks.scrubbing.scrub import Scrubber

_INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0e-\x1f\x7f]"
)
_SPACES = re.compile(r"[\t\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_TRAILING = re.compile(r"[ ]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class CleanText:
    """A cleaned text with its page spans, and how many changes of each kind led to it."""

    text: str
    pages: tuple[PageSpan, ...] = ()
    changes: Mapping[str, int] = field(default_factory=dict)


def clean_document(parsed: ParsedDocument, inline_markup: bool) -> CleanText:
    """Clean one document by itself.

    Args:
        parsed: As the parser returned it.
        inline_markup: See `Parser.inline_markup`.
    """
    changes: Counter[str] = Counter()
    start = CleanText(parsed.text, parsed.pages, changes)
    return _rewrite(start, lambda part: _clean(part, inline_markup, changes))


def scrub_document(clean: CleanText, scrubber: Scrubber) -> CleanText:
    """Replace personal data and secrets, page by page."""
    changes = Counter(clean.changes)

    def scrub(part: str) -> str:
        scrubbed = scrubber.scrub(part)
        changes.update({f"scrubbed.{kind}": n for kind, n in scrubbed.counts.items()})
        return scrubbed.text

    return _rewrite(CleanText(clean.text, clean.pages, changes), scrub)


def remove_boilerplate(clean: CleanText, boilerplate: frozenset[str]) -> CleanText:
    """Take the lines out of one document."""
    if not boilerplate:
        return clean
    shared = sum(line_key(line) in boilerplate for line in clean.text.split("\n"))
    if not shared:
        return clean
    changes = {**clean.changes, "boilerplate_line": shared}
    start = CleanText(clean.text, clean.pages, changes)
    return _rewrite(start, lambda part: _without(part, boilerplate))


def _without(text: str, boilerplate: frozenset[str]) -> str:
    kept = [line for line in text.split("\n") if line_key(line) not in boilerplate]
    return _BLANK_LINES.sub("\n\n", "\n".join(kept)).strip()


def _clean(text: str, inline_markup: bool, changes: Counter[str]) -> str:
    text, joined = join_divided(repair(text, changes))
    changes["hyphenation"] += joined
    plain = _without_navigation(plain_markdown(text, inline_markup, changes), changes)
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", plain)).strip()


def repair(text: str, changes: Counter[str]) -> str:
    """Mend mis-decoded characters, take out invisible ones, normalise to NFC."""
    import ftfy

    # quotation marks and entities are the author's; only damage is mended
    config = ftfy.TextFixerConfig(uncurl_quotes=False, unescape_html=False, normalization="NFC")
    seen, invisible = _INVISIBLE.subn("", text)
    fixed = ftfy.fix_text(seen, config)
    if fixed != seen:
        pairs = zip(seen.split("\n"), fixed.split("\n"), strict=False)
        changes["encoding"] += sum(before != after for before, after in pairs) or 1
    fixed, more = _INVISIBLE.subn("", fixed)
    changes["invisible_character"] += invisible + more
    return _SPACES.sub(" ", fixed)


def _without_navigation(text: str, changes: Counter[str]) -> str:
    """Take out lines that only lead elsewhere; in code they are what the text is about."""
    kept, in_code = [], False
    for line in text.split("\n"):
        in_code ^= line.lstrip().startswith(("```", "~~~"))
        if in_code or not is_navigation(line):
            kept.append(line)
        else:
            changes["navigation"] += 1
    return "\n".join(kept)


def _rewrite(clean: CleanText, change: Callable[[str], str]) -> CleanText:
    """Change a text page by page, so that the spans of its pages stay right."""
    text = clean.text
    if not clean.pages:
        return CleanText(change(text), (), clean.changes)
    changed, spans, end = "", list[PageSpan](), 0
    for page in clean.pages:
        part = change(text[page.start : page.end])
        separator = text[end : page.start] if changed and part else ""
        start = len(changed) + len(separator)
        changed += separator + part
        spans.append(PageSpan(page.page, start, len(changed)))
        end = page.end
    return CleanText(changed, tuple(spans), clean.changes)
