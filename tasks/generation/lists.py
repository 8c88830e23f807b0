"""Lists: runs of list items or numbered steps, and what stands before them."""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from tasks.generation.base import ChunkView
from tasks.generation.passage import Block, plain

# A bold label without a mark of its own, before the text that it belongs to.
_LABEL = re.compile(r"(?P<label>(?:\*\*|__)[^*_]+[^*_.:!?,;\s])\s*(?:\*\*|__)\s+(?=[A-Z])")
_BREAK = re.compile(r"(?:[.;,:]?\s*<br\s*/?>\s*)+(?=\S)", re.IGNORECASE)
_TRAILING = re.compile(r"[;,](?:\s+(?:and|or))?$")  # what joins an item to the next one
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|<?(https?://\S+)>?")
_REFERENCE = re.compile(r"(?<!!)\[([^\[\]]+)\]\[[^\[\]]*\]")
_MOSTLY = 0.6  # share of a text's letters that stand in links


@dataclass(frozen=True)
class ListRun:
    """A list within a chunk.

    Attributes:
        items: Its items.
        lead: The paragraph right before it, if there is one.
        ordered: Whether it is numbered.
        whole: Whether it surely does not go on in a later chunk, and is of one sort.
        follows_heading: Whether nothing stands between the section's heading and the list,
            or no more than the lead.
        ends_section: Whether nothing stands after it in the chunk.
        links: Share of items that are little but a link.
    """

    items: tuple[Block, ...]
    lead: Block | None
    ordered: bool
    whole: bool
    follows_heading: bool
    ends_section: bool
    links: float

    @property
    def flat(self) -> bool:
        """Whether no item holds a list of its own."""
        return all(item.indent == self.items[0].indent for item in self.items)

    @property
    def words(self) -> int:
        """Number of words of all items."""
        return sum(len(item.text.split()) for item in self.items)


def list_runs(chunk: ChunkView) -> Iterator[ListRun]:
    """Yield the lists of a chunk."""
    blocks = chunk.blocks
    position = 0
    while position < len(blocks):
        kind = blocks[position].kind
        end = position
        while end < len(blocks) and blocks[end].kind in ("item", "step"):
            end += 1
        if kind in ("item", "step"):
            yield _run(chunk, position, end)
        position = max(end, position + 1)


def _run(chunk: ChunkView, begin: int, end: int) -> ListRun:
    blocks = chunk.blocks
    items = blocks[begin:end]
    before = blocks[begin - 1] if begin else None
    lead = before if before is not None and before.kind == "paragraph" else None
    ends = end < len(blocks) or chunk.last
    ordered = items[0].kind == "step"
    return ListRun(
        items=items,
        lead=lead,
        ordered=ordered,
        whole=ends and all(item.kind == items[0].kind for item in items),
        follows_heading=chunk.first and (begin == 0 or (begin == 1 and lead is not None)),
        ends_section=end == len(blocks),
        links=sum(is_link(item.raw, chunk.links) for item in items) / len(items),
    )


def link_words(source: str) -> frozenset[str]:
    """Return the words of all links in Markdown that ingestion has not made plain yet."""
    inline = (match[1] or "" for match in _LINK.finditer(source))
    found = map(plain, [*inline, *_REFERENCE.findall(source)])
    return frozenset(word for word in found if word)


def is_link(raw: str, links: Set[str] = frozenset()) -> bool:
    """Whether a block is a link and little else: its title without what it leads to.

    Args:
        raw: The block.
        links: Words that were links before ingestion made the document plain.
    """
    text = plain(raw)
    linked = sum(len(match[1] or match[2]) for match in _LINK.finditer(raw))
    if linked > _MOSTLY * len(text):
        return True
    # the words of a link come first in an item that is one: "Style guide (PDF)"
    ends = [match.start() for match in re.finditer(r"(?!\w)", text)] if links else []
    return any(text[:end] in links for end in ends if end > _MOSTLY * len(text))


def render(blocks: Sequence[Block]) -> str:
    """Return blocks as plain lines: items with a dash, steps numbered from 1."""
    lines, step = [], 0
    for block in blocks:
        step = step + 1 if block.kind == "step" else 0
        marker = {"item": "- ", "step": f"{step}. "}.get(block.kind, "")
        lines.append(marker + _TRAILING.sub("", readable(block.raw)))
    return "\n".join(line for line in lines if line.strip())


def readable(raw: str) -> str:
    """Return text in plain form, with a mark where a bold label or a line break was one."""
    return plain(_BREAK.sub("; ", _LABEL.sub(r"\g<label>:** ", raw)))
