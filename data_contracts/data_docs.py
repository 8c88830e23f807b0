"""Makes the pages of Great Expectations whole offline and harmless.

Great Expectations 1.24 links style sheets, scripts and pictures on five hosts, and writes values of
the data into its pages as they stand. Here values are escaped before it sees them, and its pages
lose everything that runs or is loaded.
"""

import html
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# Nothing runs, nothing is loaded, nothing is sent; styles stand in the page itself.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"

_STYLES = Path(__file__).with_name("data_docs.css")
# The first must come first: the others make new ones of it.
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;"))
_REMOVED = "//script | //link | //meta[@http-equiv] | //base | //img | //iframe | //object"
_SCHEMES = ("http:", "https:", "javascript:", "data:", "//")


def escaped(table: pa.Table) -> pa.Table:
    """Return a table whose texts can stand in HTML as they are."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table.column(place)
            for character, entity in _ESCAPES:
                column = pc.replace_substring(column, pattern=character, replacement=entity)
            table = table.set_column(place, field, column)
    return table


def unescaped(value: Any) -> str:
    """Return a value as it was before it was escaped."""
    return html.unescape(str(value))


def sealed(content: str) -> str:
    """Return a page without what runs or is loaded, which a policy forbids besides."""
    from lxml import etree
    from lxml import html as documents

    page = documents.document_fromstring(content)
    for element in page.xpath(_REMOVED):
        element.drop_tree()
    for element in page.iter():
        for name in [name for name, value in element.attrib.items() if _reaches_out(name, value)]:
            del element.attrib[name]
    style = etree.Element("style")
    style.text = _STYLES.read_text(encoding="utf-8")
    for old in page.xpath("//style"):
        old.drop_tree()
    meta = etree.Element("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY})
    page.head.insert(0, meta)
    page.head.append(style)
    return str(documents.tostring(page, encoding="unicode", doctype="<!DOCTYPE html>"))


def _reaches_out(name: str, value: str) -> bool:
    """Whether an attribute runs something or leads away from this folder."""
    address = "".join(value.split()).lower()
    return name.lower().startswith("on") or address.startswith(_SCHEMES) or "url(" in address
