import html
import re
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.report import formats, render
from tasks.report.content import ReportContent
from tasks.report.render import render_report

VOID = {"meta", "br", "img", "link", "input", "hr"}
# Strings with a meaning of their own: Literals and the moment of creation.
FIXED = {"outcome", "better", "set", "split", "created"}


class Page(HTMLParser):
    """Everything a browser would see: elements, attributes, text outside of styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    def attributes(self, name: str) -> list[str]:
        return [a[name] or "" for _, a in self.elements if name in a]


def with_every_string(value: Any, text: str, key: str = "") -> Any:
    """Replace every free string, keys of free mappings too."""
    if isinstance(value, dict):
        return {
            (k if k in _FIELDS else f"{text}{i}"): with_every_string(v, text, k)
            for i, (k, v) in enumerate(value.items())
        }
    if isinstance(value, list):
        return [with_every_string(v, text, key) for v in value]
    return text if isinstance(value, str) and key not in FIXED else value


def _fields(model: Any, found: set[str]) -> set[str]:
    """All field names of a result model and of the models in it."""
    for name in type(model).model_fields:
        found.add(name)
        value = getattr(model, name)
        for item in value if isinstance(value, list) else [value]:
            if hasattr(type(item), "model_fields"):
                _fields(item, found)
    return found


_FIELDS: set[str] = set()


@pytest.fixture(scope="module")
def realistic(sample: ModuleType) -> ReportContent:
    content = sample.realistic()
    _FIELDS.update(_fields(content, {*sample.DroppedRow.model_fields}))
    return content


@pytest.fixture(scope="module")
def ugly(sample: ModuleType) -> ReportContent:
    return sample.ugly()


@pytest.mark.parametrize("which", ["realistic", "ugly"])
def test_page_is_well_formed_and_loads_nothing(which: str, request: pytest.FixtureRequest) -> None:
    text = render_report(request.getfixturevalue(which))
    page = Page(text)
    assert page.open == []
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "object", "embed", "base"})
    assert page.attributes("src") == page.attributes("style") == []
    assert all(href.startswith(("#", "http://", "https://")) for href in page.attributes("href"))
    style = text[text.index("<style>") : text.index("</style>")]
    assert "@import" not in style
    assert "url(" not in style
    policy = next(a["content"] for _, a in page.elements if "http-equiv" in a)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.mark.parametrize("which", ["realistic", "ugly"])
def test_identifiers_are_unique_and_links_lead_somewhere(
    which: str, request: pytest.FixtureRequest
) -> None:
    page = Page(render_report(request.getfixturevalue(which)))
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    inner = {h[1:] for h in page.attributes("href") if h.startswith("#")}
    assert inner <= set(ids)
    assert set(page.attributes("aria-labelledby")) <= set(ids)


@pytest.mark.parametrize(
    "text", ["<evil>", "</p><evil a='", '"><evil onload="x', "</style><evil>", "<!--<evil>", "&lt;"]
)
def test_no_field_can_add_markup(realistic: ReportContent, text: str) -> None:
    hostile = with_every_string(realistic.model_dump(), text)
    hostile["dropped"] = {text: [row for rows in hostile["dropped"].values() for row in rows]}
    content = ReportContent.model_validate(hostile)
    page = Page(render_report(content))
    assert "evil" not in page.tags
    assert not any(name.startswith("on") for _, a in page.elements for name in a)
    assert page.open == []
    assert page.text.count(text) > 100


def test_legs_that_were_switched_off_are_named_with_their_reason(ugly: ReportContent) -> None:
    text = Page(render_report(ugly)).text
    assert "Switched off in the profile: leakage. Reason given: the owner knows" in text


def test_hostile_address_does_not_become_a_link(ugly: ReportContent) -> None:
    assert ugly.links.run_url == "javascript:alert(1)"
    assert "javascript:" not in render_report(ugly)


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x9b", "\u202e", "\u2066", "\ufffe"])
def test_unsafe_characters_are_replaced(realistic: ReportContent, character: str) -> None:
    text = render_report(realistic.model_copy(update={"title": f"a{character}b"}))
    assert character not in text
    assert "a\ufffdb" in text


def test_lone_surrogates_do_not_stop_the_report(realistic: ReportContent) -> None:
    broken = realistic.model_copy(update={"title": "half \ud83d emoji"})
    assert render_report(broken).encode("utf-8")


@given(text=st.text(st.characters(exclude_categories=[]), min_size=1, max_size=60))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_text_of_documents_is_shown_as_it_is(realistic: ReportContent, text: str) -> None:
    row = realistic.rows[0].model_copy(update={"answer": f"[{text}]"})
    page = Page(render_report(realistic.model_copy(update={"rows": [row]})))
    assert formats.finalize(f"[{text}]") in page.text


def test_same_content_gives_the_same_bytes(realistic: ReportContent) -> None:
    first = render_report(realistic)
    render.environment.cache_clear()
    again = ReportContent.model_validate_json(realistic.model_dump_json())
    assert render_report(again) == first


def test_sections_come_in_the_order_of_importance(realistic: ReportContent) -> None:
    page = Page(render_report(realistic))
    sections = [a["id"] for tag, a in page.elements if tag == "section"]
    assert sections == [name for name in render._SECTIONS if name != "front"]  # none was made
    assert sections[:2] == ["verdict", "summary"]


def test_sharpness_is_shown_with_forgetting_where_it_was_measured(
    realistic: ReportContent,
) -> None:
    def forgetting(figures: dict[str, float]) -> str:
        comparison = realistic.comparison.model_copy(update={"figures": figures})
        html = render_report(realistic.model_copy(update={"comparison": comparison}))
        return html.split('<section id="forgetting"')[1].split("</section>")[0]

    both = Page(forgetting({"sharpness.base": 0.3014, "sharpness.tuned": 0.4126})).text
    assert re.search(r"Base model\s*\+0\.301\s*Tuned model\s*\+0\.413", both)
    tuned_alone = forgetting({"sharpness.tuned": 0.4126})  # a base in 4 bits has none
    assert "Tuned model" in tuned_alone and "Base model" not in tuned_alone
    assert "Sharpness" not in forgetting({})


def test_examinations_are_shown_where_there_are_any(realistic: ReportContent) -> None:
    text = Page(render_report(realistic)).text
    assert "Four arms" in text
    assert "Share of questions whose own passage was found" in text
    assert "Preferences for the answer that stood first (0.5: no bias)" in text
    assert "Test rows by language: Cross-entropy" in text
    bare = realistic.comparison.model_copy(
        update={
            "deltas": [
                d for d in realistic.comparison.deltas if d.set not in ("retrieval", "judge")
            ],
            "figures": {},
        }
    )
    page = Page(render_report(realistic.model_copy(update={"comparison": bare})))
    assert "Examinations" not in page.text
    assert not [a for tag, a in page.elements if a.get("href") == "#examinations"]


@pytest.mark.parametrize(
    ("outcome", "headline"),
    [
        ("PASS", "Pass"),
        ("FAIL", "Fail"),
        ("INSUFFICIENT EVIDENCE", "Insufficient evidence"),
    ],
)
def test_verdict_is_said_first_and_in_words(
    realistic: ReportContent, outcome: str, headline: str
) -> None:
    verdict = realistic.verdict.model_copy(update={"outcome": outcome})
    text = Page(render_report(realistic.model_copy(update={"verdict": verdict}))).text
    assert text.strip().startswith(f"{headline}: ")
    assert ("must not be deployed" in text) == (outcome == "FAIL")
    assert ("may replace the current champion" in text) == (outcome == "PASS")


def test_every_leg_is_shown_with_reason_and_figures(realistic: ReportContent) -> None:
    text = Page(render_report(realistic)).text
    for leg in realistic.verdict.legs:
        assert formats.title_case(formats.plain_name(leg.name)) in text
        assert leg.reason in text
        for name, value in leg.figures.items():
            assert formats.plain_name(name) in text
            assert formats.figure(value) in text


def test_every_stage_is_shown_with_counts_reasons_and_fingerprint(
    realistic: ReportContent,
) -> None:
    text = re.sub(r"\s+", " ", Page(render_report(realistic)).text)
    for m in realistic.manifests:
        counts = [formats.number(n) for n in (m.rows_in, m.rows_kept, m.rows_dropped)]
        assert re.search(rf"{counts[0]} [a-z ]+ in {counts[1]} kept {counts[2]} dropped", text)
        assert m.fingerprint in text
        assert m.content_sha256 in text
        for reason, count in m.drop_reasons.items():
            assert f"{formats.number(count)} {formats.plain_name(reason)}" in text


def test_counts_that_do_not_add_up_are_pointed_out(realistic: ReportContent) -> None:
    assert "do not add up" not in render_report(realistic)
    first = realistic.manifests[0]
    for change in ({"rows_in": first.rows_in + 1}, {"drop_reasons": {"unreadable": 1}}):
        manifests = [first.model_copy(update=change), *realistic.manifests[1:]]
        assert "do not add up" in render_report(
            realistic.model_copy(update={"manifests": manifests})
        )


def test_bars_of_the_funnel_are_the_shares(realistic: ReportContent) -> None:
    page = Page(render_report(realistic))
    kept = [a["width"] for t, a in page.elements if t == "rect" and a.get("class") == "kept"]
    expected = [f"{round(100 * m.rows_kept / m.rows_in, 2)}%" for m in realistic.manifests]
    assert kept == expected


def test_every_delta_and_gap_is_shown_with_its_interval(realistic: ReportContent) -> None:
    text = Page(render_report(realistic)).text
    for delta in realistic.comparison.deltas:
        assert formats.interval(delta.delta, delta.measure) in text
        assert formats.level(delta.tuned, delta.measure) in text
    for gap in realistic.comparison.gaps:
        assert formats.interval(gap.excess, "cross_entropy") in text
    dots = [a for tag, a in Page(render_report(realistic)).elements if tag == "circle"]
    plotted = len(realistic.comparison.deltas) + len(realistic.comparison.gaps)
    memory, robustness = realistic.memorisation, realistic.robustness
    plotted += 3 + len(memory.membership) + len(robustness.forms)
    assert len([a for a in dots if a.get("r") == "4.5"]) == plotted


def test_skills_stand_from_greatest_loss_to_greatest_gain(realistic: ReportContent) -> None:
    text = Page(render_report(realistic)).text
    text = text[text.index("General skills: accuracy") :]
    names = ("All together", "grammar", "word relations", "opposites", "causes")
    places = [text.index(name) for name in names]
    assert places == sorted(places)


def test_audit_findings_show_their_closest_pair(ugly: ReportContent, sample: ModuleType) -> None:
    leaky = Page(render_report(ugly)).text
    assert "The audit found leaks" in leaky
    assert ugly.certificate.findings[0].train_text in leaky
    clean = Page(render_report(sample.realistic())).text
    assert "The audit passed" in clean
    assert "0.410, below the threshold of 0.800" in clean


def test_the_detectors_are_shown_with_what_they_are_worth(realistic: ReportContent) -> None:
    page = render_report(realistic)
    assert "200 leaks planted in a copy" in page
    least = "paraphrase without parent"
    assert re.search(rf"All together</th>.*91\.5 %.*0\.5 %.*{least}, 83\.0 %", page)
    assert re.search(rf"same parent</th>.*50\.0 %.*–.*{least}, 0\.0 %", page)


def test_missing_answer_is_named(realistic: ReportContent, ugly: ReportContent) -> None:
    assert "(no answer)" not in render_report(realistic)
    assert "(no answer)" in render_report(ugly)


def test_figures_that_are_not_numbers_are_no_improvement(ugly: ReportContent) -> None:
    text = Page(render_report(ugly)).text
    assert "cannot be compared" in text
    assert not re.search(r"\b(nan|inf)\b", text, re.IGNORECASE)


def test_empty_content_still_renders(realistic: ReportContent) -> None:
    empty = realistic.model_copy(
        update={
            "manifests": [],
            "comparison": realistic.comparison.model_copy(
                update={"deltas": [], "gaps": [], "improved": [], "worsened": []}
            ),
            "certificate": realistic.certificate.model_copy(
                update={"rows": {}, "groups": {}, "findings": []}
            ),
            "training": realistic.training.model_copy(update={"history": []}),
            "dropped": {},
            "rows": [],
            "seconds": {},
        }
    )
    text = Page(render_report(empty)).text
    for note in ("Forgetting was not measured", "No loss was logged", "No detector ran"):
        assert note in text


def test_how_far_the_model_went_back_to_its_base_is_said(realistic: ReportContent) -> None:
    assert "Against forgetting" not in Page(render_report(realistic)).text
    found = {"wise_ft.coefficient": 0.65, "wise_ft.validation_loss": 0.069}
    training = realistic.training.model_copy(update={"mitigations": found})
    text = Page(render_report(realistic.model_copy(update={"training": training}))).text
    assert "wise ft coefficient 0.65, wise ft validation loss 0.069" in text
    assert "from its base to what was trained" in text


def test_cost_and_commands_are_shown(realistic: ReportContent) -> None:
    text = Page(render_report(realistic)).text
    assert "720.5" in text  # 311,040 tokens in 431.7 s
    assert "5.0 GiB" in text
    assert formats.duration(sum(realistic.seconds.values())) in text
    for command in realistic.links.commands:
        assert command.line in text


def test_many_rows_are_cut_and_said_to_be(realistic: ReportContent) -> None:
    row = realistic.rows[0].model_copy(update={"question": "long " * 2000})
    text = render_report(realistic.model_copy(update={"rows": [row]}))
    assert "more characters not shown" in html.unescape(text)
    assert len(text) < 200_000


def test_scores_on_rows_apart_stand_beside_those_on_all(realistic: ReportContent) -> None:
    text = " ".join(Page(render_report(realistic)).text.split())
    assert "Of 212 test rows 171 have no training row that comes nearer" in text
    assert "Test, no near training row" in text
    assert "1.944" in text
    assert "Same fact, benchmark own.csv" in text
    assert "Near duplicate, test by validation" in text
    assert "Validation row" in text
    assert "does not count against it" in text
