"""Renders the data card: Markdown for a repository, HTML for a reader."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data_contracts.errors import StorageError
from tasks.report import charts, formats
from tasks.report.card_content import DataCard, Lengths
from tasks.report.render import environment, funnel_stage

# Size classes as dataset cards on model hubs state them.
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram, in percent of the drawing."""

    x: float
    width: float
    height: float


def card_html(card: DataCard) -> str:
    """Return the card as one HTML document without scripts."""
    return (
        environment()
        .get_template("card.html.j2")
        .render(
            c=card,
            funnel=[funnel_stage(manifest, card.dropped) for manifest in card.manifests],
            bars={lengths.part: _bars(lengths) for lengths in card.lengths},
            coverage=charts.coverage_chart(card.coverage),
        )
    )


def card_markdown(card: DataCard) -> str:
    """Return the card as Markdown, with the front matter that model hubs read."""
    return markdown_environment().get_template("card.md.j2").render(c=card, size=_size(card))


def markdown_environment() -> Environment:
    """Return the templates of Markdown pages; values pass through `cell` to be safe."""
    plain = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701 - Markdown, not HTML; cells are made safe by `cell`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    plain.filters.update(cell=_cell, percent=formats.percent, plain_name=formats.plain_name)
    return plain


def write_card(card: DataCard, path: Path) -> None:
    """Write the card as the file's ending says: `.md`, or `.html`.

    Raises:
        StorageError: It cannot be written.
    """
    text = card_markdown(card) if path.suffix == ".md" else card_html(card)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"Cannot write the data card {path}: {error}. Free disk space, or name another file."
        ) from error


def _size(card: DataCard) -> str:
    rows = sum(split.count for split in card.splits)
    return next((name for limit, name in _SIZES if rows < limit), "n>1M")


def _bars(lengths: Lengths) -> list[Bar]:
    low, high, top = lengths.edges[0], lengths.edges[-1], max(lengths.bars)
    scale = 100 / (high - low)
    return [
        Bar(round((left - low) * scale, 2), round((right - left) * scale, 2), 100 * bar / top)
        for left, right, bar in zip(lengths.edges, lengths.edges[1:], lengths.bars, strict=False)
    ]


def _cell(text: object, limit: int = 160) -> str:
    """Make text safe for a cell of a Markdown table: one line, no markup of its own."""
    line = " ".join(formats.clip(str(formats.finalize(str(text))), limit).split())
    for mark in "\\|<>[]`*_":
        line = line.replace(mark, f"\\{mark}")
    return line
