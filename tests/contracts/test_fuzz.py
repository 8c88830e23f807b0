"""Whatever comes from outside ends as a value or as an error that says so; never otherwise."""

import contextlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from data_contracts.errors import ConfigError
from flows.config import PipelineConfig, load_config
from tasks.generation.generators.single_fact import SingleFactReply
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.document import parse_file
from tasks.llm.repair import Unusable, read_json
from tests.unit.ingestion.make_files import make_epub

NAMES = (
    "a.md", "a.html", "a.txt", "a.csv", "a.json", "a.eml", "a.rtf", "a.rst", "a.zip", "a.pdf",
    "a.docx", "a.pptx", "a.xlsx", "a.ipynb", "a.mbox",
)  # fmt: skip
MARKS = (
    b"%PDF-1.7\n", b"PK\x03\x04", b"{\\rtf1 ", b"<html><body>", b"---\na: 1\n---\n", b"\xff\xfe",
    b"From: a\nMIME-Version: 1.0\n", b"```\n", b"| a | b |\n|---|---|\n", b"{\"a\": [", b"\x1f\x8b",
)  # fmt: skip
PIECES = st.lists(st.one_of(st.sampled_from(MARKS), st.binary(max_size=40)), max_size=8)


@settings(max_examples=60)
@given(name=st.sampled_from(NAMES), pieces=PIECES)
def test_any_bytes_become_rows_or_reasons(name: str, pieces: list[bytes]) -> None:
    rows = list(parse_file(name, b"".join(pieces), IngestionConfig(), 0, None))
    for row in rows:
        assert row["path"].startswith(name)
        assert bool(row.get("reason")) != bool(row.get("text"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(sorted(PipelineConfig.model_fields)) | st.text(max_size=12)


@settings(max_examples=25)
@given(profile=st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_profile_is_valid_or_a_configuration_error(
    profile: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_text(yaml.safe_dump(profile))
    _load(path, [])


@settings(max_examples=60)
@given(text=st.binary(max_size=80), setting=st.text(max_size=30))
def test_any_text_as_profile_or_override(
    text: bytes, setting: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(text)
    _load(path, [])
    path.write_text("documents: .\n")
    _load(path, [setting])


def _load(path: Path, overrides: list[str]) -> None:
    with contextlib.suppress(ConfigError):  # what a person can act on
        assert isinstance(load_config(str(path), None, overrides), PipelineConfig)


REPLIES = st.one_of(
    st.text(max_size=80),
    VALUES.map(lambda value: json.dumps(value, default=str)),
    st.fixed_dictionaries(
        {"evidence": VALUES, "question": VALUES, "answer": VALUES}
    ).map(lambda value: "```json\n" + json.dumps(value, default=str) + "\n```"),
)  # fmt: skip


class Yes(BaseModel):
    """A small form with several kinds of values."""

    verdict: bool
    score: float
    reasons: list[str]


@settings(max_examples=100)
@given(reply=REPLIES, cut=st.integers(0, 90), form=st.sampled_from([SingleFactReply, Yes]))
def test_any_reply_is_of_the_form_or_unusable(reply: str, cut: int, form: type[BaseModel]) -> None:
    with contextlib.suppress(Unusable):
        value, _mended = read_json(reply[: 90 - cut], form, cut_off=bool(cut))
        assert isinstance(value, form)


@pytest.mark.parametrize("seed", range(6))
def test_a_whole_file_with_bytes_changed_is_no_crash(seed: int) -> None:
    dice = random.Random(seed)
    content = bytearray(make_epub({"one": "<h1>Eins</h1><p>Words.</p>"}))
    for _ in range(dice.randint(1, 20)):
        content[dice.randrange(len(content))] = dice.randrange(256)
    rows = list(parse_file("book.epub", bytes(content), IngestionConfig(), 0, None))
    assert all(bool(row.get("reason")) != bool(row.get("text")) for row in rows)
