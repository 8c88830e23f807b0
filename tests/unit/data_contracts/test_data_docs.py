"""Data Docs are whole offline, run nothing, and show data as text."""

import re
from pathlib import Path

import jinja2
import pyarrow as pa
import pytest
from great_expectations.data_context.store import TupleFilesystemStoreBackend
from lxml import html

from data_contracts.data_docs import POLICY
from data_contracts.schemas import EXAMPLE, blank_row
from data_contracts.validation import ValidationReport, validate

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script><a href="http://evil.test">&amp;'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ValidationReport]:
    folder = tmp_path_factory.mktemp("docs")
    row = blank_row(EXAMPLE) | {
        "example_id": HOSTILE,
        "kind": "fact",
        "question": "Who?",
        "answer": "Ann.",
        "document_id": "d",
        "chunk_id": "c",
        "generator": "t",
        "grounding": 5.0,
    }
    table = pa.Table.from_pylist([row, row], schema=EXAMPLE)
    return folder, validate(table, EXAMPLE, "generation", folder)


def pages(folder: Path) -> list[html.HtmlElement]:
    found = sorted(folder.rglob("*.html"))
    assert len(found) == 3  # the index, the suite and the outcome
    return [html.document_fromstring(path.read_text()) for path in found]


def test_a_page_loads_nothing_runs_nothing_and_says_so_in_its_policy(site):
    for page in pages(site[0]):
        assert page.head[0].get("content") == POLICY
        assert page.xpath("//script | //link | //img | //iframe | //object | //embed") == []
        for element in page.iter(html.etree.Element):
            assert [name for name in element.attrib if name.startswith("on")] == []
            addresses = [element.get(name, "") for name in ("href", "src", "action")]
            assert [a for a in addresses if re.match(r"\s*(\w+:|//)", a)] == []
            assert "url(" not in element.get("style", "")


def test_a_page_is_never_written_as_great_expectations_makes_it(tmp_path, monkeypatch):
    written = []
    store = TupleFilesystemStoreBackend._set

    def noted(self, key, value, **named):
        written.append(value)
        return store(self, key, value, **named)

    monkeypatch.setattr(TupleFilesystemStoreBackend, "_set", noted)
    table = pa.Table.from_pylist([], schema=EXAMPLE)
    validate(table, EXAMPLE, "generation", tmp_path)
    texts = [value for value in written if isinstance(value, str) and "<html" in value]
    assert len(texts) == len(pages(tmp_path))
    assert all(POLICY in text for text in texts)


def test_a_value_of_the_data_is_shown_as_text(site):
    shown = [page.text_content() for page in pages(site[0])]
    assert any(HOSTILE in text for text in shown)


def test_the_message_names_the_row_as_it_is(site):
    assert all(HOSTILE in failure for failure in site[1].failures)
    assert len(site[1].failures) == 2


def test_links_between_the_pages_lead_somewhere(site):
    for path in site[0].rglob("*.html"):
        page = html.document_fromstring(path.read_text())
        for address in page.xpath("//a/@href"):
            name = address.partition("#")[0]
            assert not name or (path.parent / name).is_file(), (path, address)


def test_the_templates_of_the_pages_are_compiled_once_a_process(site, tmp_path, monkeypatch):
    def refuse(*_arguments, **_named):
        raise AssertionError("a template is compiled again")

    monkeypatch.setattr(jinja2.Environment, "compile", refuse)
    table = pa.Table.from_pylist([], schema=EXAMPLE)
    validate(table, EXAMPLE, "generation", tmp_path)
    pages(tmp_path)
