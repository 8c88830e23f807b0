"""The page and the picture of `benchmarks.methods`: what was measured, beside the literature."""

from collections.abc import Mapping
from html import escape
from typing import Any

from benchmarks.methods_claims import CLAIMS, Figures, change, told
from data_contracts.results import Interval

GIB, MIB = 2**30, 2**20
COLUMNS = (
    "method | trained share | peak GiB | stored MiB | tokens/s | latency, unmerged | "
    "latency, merged | gain | forgetting | merged as large as the base"
)
WIDTH, HEIGHT, MARGIN = 720, 420, 60
LINE, LETTER = 13, 7  # of text of size 12


def render(measured: Figures, heading: str) -> str:
    """Return the page."""
    return "\n".join(
        [
            "# Training methods beside each other",
            "",
            heading,
            "",
            "Latency is that of a generated token, as a multiple of the base's: the median over "
            "rounds in which base, adapter and merged model took turns.",
            "",
            f"| {COLUMNS} |",
            f"|{'---|' * len(COLUMNS.split('|'))}",
            *(line(label, found) for label, found in measured.items()),
            "",
            "![Gain against peak memory](methods.svg)",
            "",
            "## Beside the literature",
            "",
            "A claim is contradicted, or agreed with, where the whole interval (of latencies: all "
            "rounds) lies on one side.",
            "",
            *(f"- {claim.judged(measured)}" for claim in CLAIMS if claim.known(measured)),
            "",
        ]
    )


def line(label: str, found: Mapping[str, Any]) -> str:
    """Return one row of the table."""
    same = "-"
    if "merged_parameters" in found:
        same = "yes" if found["merged_parameters"] == found["base_parameters"] else "NO"
    return (
        f"| {label} | {found['trainable'] / found['total']:.3%} | "
        f"{found['peak_bytes'] / GIB:.2f} | {found['stored_bytes'] / MIB:.2f} | "
        f"{found['tokens_per_second']:.0f} | {slower(found, 'unmerged')} | "
        f"{slower(found, 'merged')} | {shown(change(found, 'test', falls=True))} | "
        f"{shown(change(found, 'general', falls=False))} | {same} |"
    )


def slower(found: Mapping[str, Any], name: str) -> str:
    """Return the latency of a model as a multiple of the base's."""
    return f"{told(found, name).estimate:.2f}" if f"latency_{name}" in found else "-"


def shown(value: Interval) -> str:
    """Return a figure with its interval."""
    return f"{value.estimate:+.3f} ({value.low:+.3f} to {value.high:+.3f})"


def scatter(measured: Figures) -> str:
    """Return the gain of each method against its peak memory, as SVG."""
    points = {
        label: (f["peak_bytes"] / GIB, change(f, "test", falls=True).estimate)
        for label, f in measured.items()
    }
    xs, ys = ([point[axis] for point in points.values()] for axis in (0, 1))
    (left, right), (low, high) = spread(xs), spread([*ys, 0.0])
    places = {
        label: (
            MARGIN + (x - left) / (right - left) * (WIDTH - 3 * MARGIN),
            HEIGHT - MARGIN - (y - low) / (high - low) * (HEIGHT - 2 * MARGIN),
        )
        for label, (x, y) in points.items()
    }
    parts = [
        f'<path d="M{x:.0f} {y:.0f}L{across:.0f} {up - 4:.0f}" stroke="#bbb"/>'
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#2a6f97"/>'
        f'<text x="{across:.0f}" y="{up:.0f}">{escape(label)}</text>'
        for label, (x, y), (across, up) in labelled(places)
    ]
    axes = (
        f'<path d="M{MARGIN} {MARGIN / 2}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}" fill="none" '
        'stroke="#888"/>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 20}">peak memory, {left:.2f} to {right:.2f} GiB</text>'
        f'<text x="8" y="18">gain, {low:.2f} to {high:.2f} nats a token</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12">{axes}{"".join(parts)}</svg>\n'
    )


Place = tuple[float, float]


def labelled(places: Mapping[str, Place]) -> list[tuple[str, Place, Place]]:
    """Return each label with its point and where it is written: none over another."""
    found: list[tuple[str, Place, Place]] = []
    for label, (x, y) in sorted(places.items(), key=lambda item: item[1][1]):
        across, up = x + 9, y + 4
        while any(
            abs(up - other) < LINE
            and across < there + LETTER * len(name)
            and there < across + LETTER * len(label)
            for name, _, (there, other) in found
        ):
            up += 1
        found.append((label, (x, y), (across, up)))
    return found


def spread(values: list[float]) -> tuple[float, float]:
    """Return the least and the largest value, apart even where they are equal."""
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
