"""What the writer of an e-mail added: quoted replies and signatures are cut where certain."""

import re
from collections.abc import Sequence

# RFC 3676, 4.3: two hyphens and a space, alone on the line, begin the signature.
_SIGNATURE = "-- "
_ORIGINAL = re.compile(
    r"^\s*-{3,}\s*(original message|original appointment|ursprüngliche nachricht|"
    r"message d'origine|mensaje original|messaggio originale)\s*-{3,}\s*$",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    r"^(on\b.{4,300}\bwrote|am\b.{4,300}\bschrieb\b.{0,80}|le\b.{4,300}\ba écrit|"
    r"el\b.{4,300}\bescribió|il\b.{4,300}\bha scritto)\s*:$",
    re.IGNORECASE | re.DOTALL,
)
# Lines that an attribution is wrapped to at most.
_ATTRIBUTION_LINES = 3

# What the large mail programs write around a reply's quotation and a signature.
_QUOTE_MARKS = (
    "//blockquote[@type='cite']",
    "//*[contains(concat(' ', normalize-space(@class), ' '), ' gmail_quote ')]",
    "//*[contains(concat(' ', normalize-space(@class), ' '), ' gmail_signature ')]",
    "//*[contains(concat(' ', normalize-space(@class), ' '), ' moz-signature ')]",
    "//*[@id='divRplyFwdMsg' or @id='appendonsend']",
    "//*[@id='divRplyFwdMsg' or @id='appendonsend']/following-sibling::*",
)
_FORWARDED = re.compile(r"(?i)forwarded message|weitergeleitete nachricht|message transféré")


def own_text(text: str) -> str:
    """Return a plain-text body without signature and without the quotation at its end.

    Quotations between the writer's own lines are answered there, and stay.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines):
        if line == _SIGNATURE or _ORIGINAL.match(line):
            lines = lines[:number]
            break
    return "\n".join(_without_last_quote(lines)).strip()


def _without_last_quote(lines: Sequence[str]) -> list[str]:
    kept = _rstrip(lines)
    if not kept or not kept[-1].startswith(">"):
        return kept
    while kept and (kept[-1].startswith(">") or not kept[-1].strip()):
        kept.pop()
    for count in range(1, _ATTRIBUTION_LINES + 1):
        if _ATTRIBUTION.match("\n".join(kept[-count:]).strip()):
            return kept[:-count]
    return kept


def _rstrip(lines: Sequence[str]) -> list[str]:
    kept = list(lines)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def own_html(page: str) -> str:
    """Return an HTML body without what mail programs mark as quotation or signature."""
    import lxml.html
    from lxml.etree import ParserError

    try:
        tree = lxml.html.document_fromstring(page)
    except (ParserError, ValueError):  # nothing in it; or an encoding declared in a str
        return page
    for expression in _QUOTE_MARKS:
        for node in tree.xpath(expression):
            if node.getparent() is not None and not _FORWARDED.search(node.text_content()):
                node.drop_tree()
    return str(lxml.html.tostring(tree, encoding="unicode"))
