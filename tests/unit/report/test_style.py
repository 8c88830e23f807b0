"""The colours of the style sheet keep WCAG 2.2 AA contrast in both themes."""

import re
from pathlib import Path

import pytest

import tasks.report

CSS = (Path(tasks.report.__file__).parent / "report.css").read_text(encoding="utf-8")
TEXT = ("ink", "quiet", "better", "worse", "pass", "fail", "unsure", "link")
GRAPHICS = ("kept", "dropped")


def palette(theme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    found = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", light))
    return found if theme == "light" else {**found, **dict(re.findall(r"--(\w+): (#\w{6})", dark))}


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "sheet"])
def test_contrast(theme: str, ground: str) -> None:
    colours = palette(theme)
    for name in TEXT:
        assert contrast(colours[name], colours[ground]) >= 4.5, name
    for name in GRAPHICS:
        assert contrast(colours[name], colours[ground]) >= 3, name
