"""Rewrites Markdown in its plainest form: what these texts become is training data.

Kept: headings, paragraphs, lists, tables, code blocks. Gone: links (their words stay),
images, emphasis, quotation marks of blocks, rulers, comments, HTML. The text is parsed and
written anew, not searched and replaced, so that `2 * 3 * 4` and `snake_case` survive.
"""

import html
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tasks.ingestion.navigation import without_menus
from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.tables import markdown_table
from tasks.ingestion.templates import remove_templates

_COMMENT = re.compile(r"<!--(?:(?!<!--).)*?-->", re.DOTALL)
_UNSEEN = re.compile(
    r"<(script|style|iframe|svg|template|noscript)\b(?:(?!<\1\b).)*?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)
_MENU = re.compile(r"<nav\b(?:(?!<nav\b).)*?</nav\s*>", re.DOTALL | re.IGNORECASE)
_HTML_TABLE = re.compile(r"<table\b(?:(?!<table\b).)*?</table\s*>", re.DOTALL | re.IGNORECASE)
_FOOTNOTE_MARK = re.compile(r"\[\^[\w-]+\](?!:)")
_FOOTNOTE = re.compile(r"^\[\^[\w-]+\]:[ \t]*\n?[ \t]*", re.MULTILINE)
# asterisks that open or close nothing, as in "**Note: (see [x](y))**."
_STRAY_EMPHASIS = re.compile(r"(?<!\w)\*\*(?!\s)|(?<!\s)\*\*(?!\w)")
_LETTER = re.compile(r"[^\W\d_]")
_MOST_ICON_WORDS = 3
_TASK_BOX = re.compile(r"^\[[ xX]\]\s+")
_TAG_NAME = re.compile(r"</?([a-z][a-z0-9-]*)", re.IGNORECASE)
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# What is written in angle brackets and is no tag of these is a placeholder: <your name>.
_INLINE_TAG = re.compile(
    r"a|abbr|b|bdi|bdo|big|br|button|cite|code|del|details|dfn|div|em|figcaption|figure|font|form|"
    r"h[1-6]|hr|i|img|input|ins|kbd|label|li|link|mark|meta|nav|ol|option|p|path|pre|q|s|samp|"
    r"section|select|small|source|span|strike|strong|sub|summary|sup|svg|table|tbody|td|textarea|"
    r"tfoot|th|thead|time|tr|u|ul|var|video|wbr",
    re.IGNORECASE,
)


@cache
def _parser(inline_markup: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table"])
    if inline_markup:
        return parser.enable("strikethrough")
    # plain texts indent, quote and rule lines without meaning Markdown by it
    rules = ["html_block", "reference", "code", "fence", "lheading", "hr", "blockquote", "inline"]
    return parser.disable(rules)


def plain_markdown(text: str, inline_markup: bool, changes: Counter[str] | None = None) -> str:
    """Return the text in plain Markdown.

    Args:
        text: Markdown.
        inline_markup: Whether links, emphasis, HTML and template tags are markup in it.
        changes: Gets the numbers of what was taken out: `comment`, `hidden_element`,
            `template`, `navigation`. That links, emphasis and the like become plain is not
            counted: it is what this is for.
    """
    changes = Counter() if changes is None else changes
    if inline_markup:
        text = _without_unseen(text, changes)
        text = _without_html_tables(remove_templates(text, changes))
        text = _FOOTNOTE.sub("", _FOOTNOTE_MARK.sub("", text))
    root = SyntaxTreeNode(_parser(inline_markup).parse(text))
    nodes, menus = without_menus(root.children) if inline_markup else (root.children, 0)
    changes["navigation"] += menus
    return _blocks(nodes)


def _without_unseen(text: str, changes: Counter[str]) -> str:
    for kind, pattern in (
        ("comment", _COMMENT),
        ("hidden_element", _UNSEEN),
        ("navigation", _MENU),
    ):
        text, count = pattern.subn("", text)
        changes[kind] += count
    return text


def _without_html_tables(text: str) -> str:
    """Turn HTML tables to Markdown: blank lines in them would end them for the parser."""
    return _HTML_TABLE.sub(lambda found: f"\n\n{_from_html(found.group())}\n\n", text)


def _from_html(fragment: str) -> str:
    """Return HTML as Markdown; Markdown within it stays as it is."""
    import markdownify

    converter = markdownify.MarkdownConverter(
        heading_style=markdownify.ATX,
        bullets="-",
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
        table_infer_header=False,  # a head is marked as one; cells without are a row like others
        strip=["img"],
    )
    try:
        return str(converter.convert(fragment)).strip()
    except RecursionError as error:
        raise UnreadableFile(
            "corrupt", "It holds HTML that is nested more deeply than can be read."
        ) from error


def _blocks(nodes: Sequence[SyntaxTreeNode], separator: str = "\n\n") -> str:
    parts = [_block(node) for node in nodes]
    return separator.join(part for part in parts if part.strip())


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "heading":
            words = " ".join(_inline(node).split())
            return f"{'#' * int(node.tag[1])} {words}" if words else ""
        case "paragraph":
            return _tidy(_inline(node))
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "table":
            return _table(node)
        case "fence" | "code_block" if node.content.strip():
            return f"```{node.info.strip()}\n{node.content.rstrip()}\n```"
        case "html_block":
            return _html_block(node.content)
        case "blockquote":
            return _blocks(node.children)
    return ""  # a ruler, or code without any


def _list(node: SyntaxTreeNode) -> str:
    items: list[str] = []
    start = int(node.attrs.get("start", 1))
    for item in [] if _is_contents(node) else node.children:
        marker = "- " if node.type == "bullet_list" else f"{start + len(items)}. "
        body = _TASK_BOX.sub("", _item(item))
        if body.strip():
            items.append(marker + body.replace("\n", "\n" + " " * len(marker)))
    return "\n".join(items)


def _is_contents(node: SyntaxTreeNode) -> bool:
    """Whether a list is the page's table of contents: nothing but links into itself."""
    inlines = [inline for inline in node.walk() if inline.type == "inline"]
    words = [child for inline in inlines for child in inline.children if child.content.strip()]
    links = [child for inline in inlines for child in inline.children if child.type == "link"]
    into_itself = all(str(link.attrs.get("href", "")).startswith("#") for link in links)
    return bool(links) and not words and into_itself


def _item(item: SyntaxTreeNode) -> str:
    """Return an item's blocks: a list below its words, further paragraphs set off."""
    text = ""
    for child in item.children:
        block = _block(child)
        if text and block:
            text += "\n" if child.type.endswith("_list") else "\n\n"
        text += block
    return re.sub(r"\n[ ]+\n", "\n\n", text)


def _table(node: SyntaxTreeNode) -> str:
    rows = [
        [_inline(cell) for cell in row.children] for part in node.children for row in part.children
    ]
    # an empty head is how Markdown says that there is none
    return markdown_table(rows, headed=not rows or any(rows[0]))


def _html_block(content: str) -> str:
    text = _from_html(content)
    # once its tags are gone, angle brackets that are left are the text's own
    return _blocks(SyntaxTreeNode(_without_html().parse(text)).children)


@cache
def _without_html() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _tidy(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return "\n".join(line for line in lines if line)


def _inline(node: SyntaxTreeNode) -> str:
    """Return the words of a heading, paragraph or cell."""
    parts = [part for inline in node.children for part in _content(inline)]
    among_words = any(_is_word(part) for part in parts)
    return "".join(_alternative(p) if among_words and _is_icon(p) else _words(p) for p in parts)


def _is_word(node: SyntaxTreeNode | str) -> bool:
    return isinstance(node, str) or (node.type == "text" and bool(_LETTER.search(node.content)))


def _is_icon(node: SyntaxTreeNode | str) -> bool:
    """Whether a node is a picture that may stand for a word of the sentence."""
    return not isinstance(node, str) and node.type == "image"


def _alternative(node: SyntaxTreeNode | str) -> str:
    """Return what is read out in a picture's place, if it is a word and no description."""
    words = "" if isinstance(node, str) else node.content.split()
    return " ".join(words) if 0 < len(words) <= _MOST_ICON_WORDS else ""


def _content(inline: SyntaxTreeNode) -> Sequence[SyntaxTreeNode | str]:
    return inline.children or [inline.content]


def _words(node: SyntaxTreeNode | str) -> str:
    if isinstance(node, str):
        return node
    match node.type:
        case "text":
            return _STRAY_EMPHASIS.sub("", node.content)
        case "code_inline" | "text_special":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "html_inline":
            return _tag(node.content)
        case "image" | "s":
            return ""
    return "".join(_words(child) for child in node.children)


def _tag(tag: str) -> str:
    if _LINE_BREAK.match(tag):
        return "\n"
    name = _TAG_NAME.match(tag)
    return "" if name and _INLINE_TAG.fullmatch(name.group(1)) else html.unescape(tag)
