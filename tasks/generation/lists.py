"""Lists: runs of list items or numbered steps, and what stands before them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.generation.base import ChunkView
from tasks.generation.passage import Block


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
    """

    items: tuple[Block, ...]
    lead: Block | None
    ordered: bool
    whole: bool
    follows_heading: bool


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
    )


def render(blocks: Sequence[Block]) -> str:
    """Return blocks as plain lines: items with a dash, steps numbered from 1."""
    lines, step = [], 0
    for block in blocks:
        step = step + 1 if block.kind == "step" else 0
        marker = {"item": "- ", "step": f"{step}. "}.get(block.kind, "")
        lines.append(marker + block.text)
    return "\n".join(line for line in lines if line.strip())
