"""The pages in a real browser: on a desk and on a phone, light and dark, with a keyboard alone."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from data_contracts.front import FrontPoint
from tasks.report.front import front_html
from tasks.report.leakage import leakage_html
from tasks.report.render import render_report
from tests import browser
from tests.unit.report import sample

if TYPE_CHECKING:
    from playwright.sync_api import Page

REPORTS = ("realistic", "ugly")


def _pages() -> dict[str, Callable[[], str]]:
    broken = FrontPoint(number=5, name=sample.HOSTILE, values={}, reason=sample.LONG_WORD)
    own = {"front": sample.front(broken)}
    return {
        "realistic": lambda: render_report(sample.realistic().model_copy(update=own)),
        "ugly": lambda: render_report(sample.ugly().model_copy(update=own)),
        "front": lambda: front_html(sample.front(broken), sample.HOSTILE),
        "leakage": lambda: leakage_html(sample.leakage_check()),
    }


# Every piece of text that is to be seen, with the places of its lines. `checkVisibility` knows
# closed details; heads of tables that only screen readers get are clipped to nothing on purpose.
SEEN = """
function* seen() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const holder = node.parentElement;
    if (!node.data.trim() || holder.closest("style, title, .skip")) continue;
    if (!holder.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    if (holder.closest("thead") && getComputedStyle(holder.closest("thead")).clipPath != "none")
      continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    yield [node, holder, [...range.getClientRects()].filter(r => r.width > 0)];
  }
}
"""

# Text outside of the page, or of a box that lets nothing out and does not scroll.
CLIPPED = """() => {
  const found = [];
  for (const [node, holder, lines] of seen()) {
    if (!lines.length) found.push(`not drawn: ${node.data.trim().slice(0, 60)}`);
    const boxes = [[0, document.documentElement.clientWidth, -Infinity, Infinity]];
    for (let box = holder; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box);
      const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY);
      if (scrolls) { boxes.length = 0; break; }
      if (!/hidden|clip/.test(style.overflowX + style.overflowY) || box.closest("svg")) continue;
      const edge = box.getBoundingClientRect();
      boxes.push([edge.left, edge.right, edge.top, edge.bottom]);
    }
    for (const [left, right, top, bottom] of boxes)
      if (lines.some(r => r.left < left - 1 || r.right > right + 1
                       || r.top < top - 1 || r.bottom > bottom + 1))
        found.push(node.data.trim().slice(0, 60));
  }
  return found;
}"""

# Words that fit on a line and are broken all the same: their column is too narrow.
BROKEN = """() => {
  const found = [];
  for (const [node] of seen())
    for (const word of node.data.matchAll(/(?<!\\S)[\\p{L}\\p{N}.]+(?!\\S)/gu)) {
      if (word[0].length > 16) continue;
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = [...range.getClientRects()].filter(r => r.width > 0).map(r => r.top);
      if (lines.length && Math.max(...lines) - Math.min(...lines) > 5) found.push(word[0]);
    }
  return found;
}"""

# Contrast by WCAG 2.2 (1.4.3) of what the browser computed, grounds laid over each other.
FAINT = """() => {
  const parse = text => {
    const [r, g, b, a = 1] = text.match(/[0-9.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, ground) =>
    [0, 1, 2].map(i => top[i] * top[3] + ground[i] * (1 - top[3])).concat(1);
  const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = holder => {
    const above = [];
    for (let box = holder; box; box = box.parentElement)
      above.unshift(parse(getComputedStyle(box).backgroundColor));
    return above.reduce((below, one) => over(one, below), [255, 255, 255, 1]);
  };
  const found = [];
  let checked = 0;
  for (const [node, holder] of seen()) {
    const style = getComputedStyle(holder);
    const below = ground(holder);
    const ink = over(parse(holder.closest("svg") ? style.fill : style.color), below);
    const [high, low] = [luminance(ink), luminance(below)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const contrast = (high + 0.05) / (low + 0.05);
    checked += 1;
    if (contrast < (large ? 3 : 4.5))
      found.push(`${contrast.toFixed(2)}: ${node.data.trim().slice(0, 60)}`);
  }
  return [checked, found];
}"""

# What has the focus, once the page has scrolled to it and is drawn.
FOCUSED = """async () => {
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  return {
    tag: at.tagName, text: at.innerText.trim(), href: at.getAttribute("href"),
    open: at.parentElement.open, ringed: style.outlineStyle !== "none",
    within: box.left >= -1 && box.right <= innerWidth + 1
         && box.top >= -1 && box.bottom <= innerHeight + 1,
    box: [box.left, box.right, box.top, box.bottom],
  };
}"""


def of_seen_text(page: "Page", question: str) -> Any:
    """Return what a function of the above finds among the text that is to be seen."""
    return page.evaluate(f"() => {{ {SEEN} return ({question})(); }}")


@pytest.fixture(scope="module")
def chromium() -> Iterator["Page"]:
    if reason := browser.missing():
        pytest.skip(reason)
    with browser.open_page() as page:
        yield page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Address of each page."""
    place = tmp_path_factory.mktemp("pages")
    for name, rendered in _pages().items():
        (place / f"{name}.html").write_text(rendered(), encoding="utf-8")
    return {name: (place / f"{name}.html").as_uri() for name in _pages()}


@pytest.mark.parametrize("name", ["realistic", "ugly", "front", "leakage"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_all_text_is_whole_readable_and_asks_nobody(
    chromium: "Page", folder: dict[str, str], name: str, theme: str, width: int
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    heard = {
        "request": lambda request: asked.append(request.url),
        "console": lambda message: complaints.append(message.text),
        "pageerror": lambda error: complaints.append(str(error)),
    }
    for event, listener in heard.items():
        chromium.on(event, listener)
    chromium.set_viewport_size({"width": width, "height": 900})
    chromium.emulate_media(color_scheme=theme)
    chromium.goto(folder[name])
    for opened in (False, True):
        chromium.evaluate(
            "(o) => document.querySelectorAll('details').forEach(d => d.open = o)", opened
        )
        assert chromium.evaluate("document.documentElement.scrollWidth") <= width
        assert of_seen_text(chromium, CLIPPED) == []
        assert of_seen_text(chromium, BROKEN) == []
        checked, faint = of_seen_text(chromium, FAINT)
        assert checked > 20
        assert faint == []
    for event, listener in heard.items():
        chromium.remove_listener(event, listener)
    assert asked == [folder[name]]
    assert complaints == []


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [1280, 390])
def test_a_keyboard_alone_reaches_and_opens_everything(
    chromium: "Page", folder: dict[str, str], name: str, width: int
) -> None:
    chromium.set_viewport_size({"width": width, "height": 900})
    chromium.goto(folder[name])
    contents = chromium.locator(".contents a").all_inner_texts()
    summaries = chromium.locator("summary").count()
    reached = []
    while True:
        chromium.keyboard.press("Tab")
        focused = chromium.evaluate(FOCUSED)
        if focused["tag"] == "BODY":
            break
        assert focused["ringed"] and focused["within"], focused
        if focused["tag"] == "SUMMARY":
            assert focused["open"] is False
            chromium.keyboard.press("Enter")
            assert chromium.evaluate(FOCUSED)["open"] is True
        reached.append(focused)
    assert reached[0]["text"] == "Skip to the verdict"
    assert [at["text"] for at in reached[1 : 1 + len(contents)]] == contents
    assert len([at for at in reached if at["tag"] == "SUMMARY"]) == summaries > 0


def test_the_skip_link_leads_past_the_contents(chromium: "Page", folder: dict[str, str]) -> None:
    chromium.goto(folder["realistic"])
    chromium.keyboard.press("Tab")
    chromium.keyboard.press("Enter")
    assert chromium.url.endswith("#verdict")
    chromium.keyboard.press("Tab")
    assert chromium.evaluate(FOCUSED)["tag"] == "SUMMARY"
