"""HTML: the main content, without navigation, as Markdown.

A page that marks its content (`<main>`, `<article>`, the names that wikis use) is cut to
it; for others trafilatura finds the content out.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.front_matter import split_front_matter
from tasks.ingestion.media_type import HTML
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser, UnreadableFile
from tasks.ingestion.stated import stated_date, stated_text

# Trafilatura takes some 60 microseconds a tag: six seconds for this many.
_MOST_TAGS = 100_000
# Less text than this in what is marked as content, and it is not that.
_LEAST_CONTENT = 200
_MARKED = (
    "//main",
    "//*[@role='main']",
    "//*[@id='mw-content-text' or @id='main-content' or @id='bodyContent']",
    "//article",
)
_FURNITURE = (
    ".//nav | .//aside | .//footer | .//script | .//style | .//template | .//noscript | .//form"
    " | .//button | .//iframe | .//svg | .//*[@hidden] | .//*[@aria-hidden='true']"
    " | .//*[@role='navigation' or @role='search' or @role='complementary' or @role='banner']"
    " | .//*[contains(concat(' ', normalize-space(@class), ' '), ' breadcrumb ')]"
    " | .//*[contains(concat(' ', normalize-space(@class), ' '), ' breadcrumbs ')]"
    " | .//*[contains(concat(' ', normalize-space(@class), ' '), ' headerlink ')]"
    " | .//*[contains(concat(' ', normalize-space(@class), ' '), ' mw-editsection ')]"
    " | .//comment()"
)
_DATE_NAMES = (
    "dcterms.modified",
    "article:modified_time",
    "last-modified",
    "date",
    "dcterms.date",
    "dc.date",
    "article:published_time",
)
_LICENCE_NAMES = ("dcterms.license", "dcterms.rights", "dc.rights", "license", "licence")
_SITE = re.compile(r"\s+[|\u2013\u2014·»]\s+.*$")


@PARSERS.register
class HtmlParser(Parser):
    """Web pages, and parts of them."""

    parser: Literal["html"] = Field("html", description="Name of the parser.")
    media_types: ClassVar[tuple[str, ...]] = (HTML,)
    format_name: ClassVar[str] = "HTML"
    distributions: ClassVar[tuple[str, ...]] = (
        "beautifulsoup4",
        "lxml",
        "markdownify",
        "trafilatura",
    )
    inline_markup: ClassVar[bool] = True

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return the main content."""
        front, page = split_front_matter(decode(content))
        tags = page.count("<")
        if tags > _MOST_TAGS:
            raise UnreadableFile(
                "too_complex", f"It has {tags:,} tags; the most read is {_MOST_TAGS:,}: divide it."
            )
        tree = _tree(page)
        stated = _meta(tree)
        text = _marked_content(tree) or _found_content(page)
        return ParsedDocument(
            text=text,
            title=front.title or _title(tree),
            date=front.date or _first_date(stated),
            licence=front.licence or _licence(tree, stated),
        )


def _tree(page: str) -> Any:
    import trafilatura

    tree = trafilatura.load_html(page)
    if tree is None:
        raise UnreadableFile("no_text", "There is no HTML in it that could be read.")
    return tree


def _marked_content(tree: Any) -> str:
    """Return what a page marks as its content; empty if it marks none, or too little."""
    from lxml import etree

    from tasks.ingestion.html_text import html_to_markdown

    for place in _MARKED:
        found = tree.xpath(place)
        if len(found) != 1 or len(found[0].text_content().strip()) < _LEAST_CONTENT:
            continue
        for furniture in found[0].xpath(_FURNITURE):
            _remove(furniture)
        return html_to_markdown(etree.tostring(found[0], encoding="unicode", method="html"))
    return ""


def _remove(element: Any) -> None:
    """Take an element out; the words that follow it stay."""
    parent = element.getparent()
    if parent is None:
        return
    before = element.getprevious()
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _found_content(page: str) -> str:
    import trafilatura

    text = trafilatura.extract(
        page,
        output_format="markdown",
        include_comments=False,
        include_tables=True,
        include_formatting=True,
        include_links=False,
        favor_recall=True,  # handbooks have short pages, which precision would empty
        with_metadata=False,
    )
    if not text:
        raise UnreadableFile(
            "no_text", "The page has no main content: only navigation, scripts or frames."
        )
    return str(text)


def _title(tree: Any) -> str:
    """Return the page's only first heading, else its title without the site's name."""
    headings = [_words(heading) for heading in tree.xpath("//h1")]
    named = tree.xpath("//meta[@property='og:title']/@content")
    titles = [_SITE.sub("", _words(title)) for title in tree.xpath("//title")]
    only = headings if len(headings) == 1 else []
    return next(filter(None, [*only, *map(stated_text, named), *titles]), "")


def _words(element: Any) -> str:
    """Return the words of a heading; parts that stand side by side do not run together."""
    return stated_text(" ".join(" ".join(element.itertext()).split()))


def _meta(tree: Any) -> dict[str, str]:
    """Return what `<meta>` says, by names in lower case."""
    stated: dict[str, str] = {}
    for meta in tree.xpath("//meta[@content]"):
        name = meta.get("name") or meta.get("property") or meta.get("http-equiv") or ""
        stated.setdefault(name.lower(), meta.get("content"))
    return stated


def _first_date(stated: dict[str, str]) -> str:
    return next(filter(None, (stated_date(stated.get(name)) for name in _DATE_NAMES)), "")


def _licence(tree: Any, stated: dict[str, str]) -> str:
    links: Sequence[Any] = tree.xpath("//*[@rel='license']")
    words = [_words(link) or stated_text(link.get("href")) for link in links]
    named = [stated_text(stated.get(name)) for name in _LICENCE_NAMES]
    return next(filter(None, [*named, *words]), "")
