"""JSON, JSON Lines and notebooks as text."""

import json
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ingestion.media_type import JSON, JSON_LINES, NOTEBOOK, detect_media_type
from tasks.ingestion.parser import UnreadableFile
from tasks.ingestion.parsers.json import JsonParser
from tasks.ingestion.parsers.json_lines import JsonLinesParser
from tasks.ingestion.parsers.notebook import NotebookParser
from tasks.ingestion.records import label, readable
from tests.unit.ingestion.make_files import make_notebook


def test_keys_are_labels_nested_keys_headings_flat_arrays_tables() -> None:
    value = {
        "title": "Fares",
        "validFrom": "2026-03-01",
        "is_public": True,
        "ports": ["Stell", "Hesk"],
        "empty": [],
        "nothing": None,
        "standard": [
            {"route": 1, "adult": 9.4},
            {"route": 2, "adult": 6.8, "note": "a|b"},
        ],
        "rules": {"children": {"max_age": 4}},
        "people": [{"name": "Ada", "skills": {"swims": False}}, {"skills": {"swims": True}}],
    }
    assert readable(value) == (
        "- Title: Fares\n- Valid from: 2026-03-01\n- Is public: yes\n- Ports: Stell, Hesk\n\n"
        "# Standard\n\n| Route | Adult | Note |\n| --- | --- | --- |\n"
        "| 1 | 9.4 |  |\n| 2 | 6.8 | a\\|b |\n\n"
        "# Rules\n\n## Children\n\n- Max age: 4\n\n"
        "# People\n\n## Ada\n\n- Name: Ada\n\n### Skills\n\n- Swims: no\n\n"
        "## People 2\n\n### Skills\n\n- Swims: yes"
    )


@pytest.mark.parametrize(
    ("key", "words"),
    [("max_file_bytes", "Max file bytes"), ("userID", "User ID"), ("Adult fare", "Adult fare")],
)
def test_labels(key: str, words: str) -> None:
    assert label(key) == words


LEAVES = st.integers() | st.booleans() | st.text(st.characters(categories=("L", "Nd")), min_size=1)


@given(
    st.recursive(
        LEAVES, lambda v: st.lists(v) | st.dictionaries(st.text(max_size=5), v), max_leaves=20
    )
)
def test_no_value_is_lost(value: object) -> None:
    def leaves(part: object) -> list[str]:
        if isinstance(part, dict):
            return [leaf for inner in part.values() for leaf in leaves(inner)]
        if isinstance(part, list):
            return [leaf for inner in part for leaf in leaves(inner)]
        return [] if isinstance(part, bool) else [str(part)]

    text = readable(value)
    assert all(leaf in text for leaf in leaves(value))


def test_json_and_json_lines_are_told_apart() -> None:
    lines = b'{"a": 1}\n{"a": 2}\n'
    assert detect_media_type(PurePosixPath("data"), lines) == JSON_LINES
    assert detect_media_type(PurePosixPath("data.json"), b"[" * 9) == JSON
    assert detect_media_type(PurePosixPath("a.ipynb"), make_notebook([])) == NOTEBOOK
    parsed = JsonLinesParser().parse(Path("a.jsonl"), lines)
    assert parsed.text == "| A |\n| --- |\n| 1 |\n| 2 |"


def test_json_states_its_title_date_and_licence() -> None:
    content = json.dumps({"title": "Fares", "date": "2026-03-01", "license": "CC0"}).encode()
    parsed = JsonParser().parse(Path("a.json"), content)
    assert (parsed.title, parsed.date, parsed.licence) == ("Fares", "2026-03-01", "CC0")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b'{"a": ', "corrupt"), (b"[" * 200_000 + b"]" * 200_000, "too_complex")],
)
@pytest.mark.parametrize("parser", [JsonParser(), JsonLinesParser(), NotebookParser()])
def test_broken_json(
    parser: JsonParser | JsonLinesParser | NotebookParser, content: bytes, reason: str
) -> None:
    with pytest.raises(UnreadableFile) as raised:
        parser.parse(Path("a"), content)
    assert raised.value.reason in (reason, "corrupt")


def test_a_bad_line_is_named() -> None:
    with pytest.raises(UnreadableFile, match="Line 2"):
        JsonLinesParser().parse(Path("a"), b'{"a": 1}\nno\n')


class TestNotebook:
    CELLS = (
        {"cell_type": "markdown", "source": ["# Sailings\n", "\n", "How many *were* there?"]},
        {
            "cell_type": "code",
            "source": "print(sailings)",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": [f"{n}\n" for n in range(50)]},
                {"output_type": "stream", "name": "stderr", "text": "a warning"},
                {
                    "output_type": "display_data",
                    "data": {"image/png": "iVBOR", "text/plain": "<Figure size 640x480>"},
                },
                {"output_type": "error", "ename": "ValueError", "traceback": ["..."]},
            ],
        },
        {"cell_type": "raw", "source": "raw"},
    )

    def test_prose_code_and_printed_text(self) -> None:
        parsed = NotebookParser(output_lines=2).parse(Path("a.ipynb"), make_notebook(self.CELLS))
        assert parsed.text == (
            "# Sailings\n\nHow many *were* there?\n\n```python\nprint(sailings)\n```\n\n"
            "```text\n0\n1\n```"
        )

    def test_a_cell_of_another_shape_is_corrupt(self) -> None:
        for cell in ({"source": "x"}, {"cell_type": "code", "source": 3}):
            with pytest.raises(UnreadableFile) as raised:
                NotebookParser().parse(Path("a.ipynb"), make_notebook([cell]))
            assert raised.value.reason == "corrupt"
