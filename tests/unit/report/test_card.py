"""The data card: its figures are the dataset's, and hostile text stays text."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from data_contracts.base import file_sha256
from data_contracts.dataset import (
    DatasetRef,
    Manifest,
    StageResult,
    commit,
    content_sha256,
    count_reasons,
    stage_files,
)
from data_contracts.errors import StorageError
from data_contracts.schemas import DOCUMENT, EXAMPLE, SCHEMA_VERSION, blank_row, dropped_schema
from tasks.report.card import card_html, card_markdown, write_card
from tasks.report.card_content import DataCard, describe

HOSTILE = "<script>alert(1)</script> | `a` [x](javascript:b)"


SHIFTS = [
    {"measure": "answer_words", "before": 17.25, "after": 18.5, "divergence": None, "warning": ""},
    {"measure": "kinds", "before": 6.75, "after": 3.5, "divergence": 0.321,
     "warning": "Augmentation moves the kinds."},
]  # fmt: skip


def store(home: Path, stage: str, kept: pa.Table, artifacts: dict[str, str]) -> DatasetRef:
    schema = DOCUMENT if stage == "ingestion" else EXAMPLE
    gone = [{"reason": "near_duplicate", "detail": "as e1", "duplicate_of": "e1"}]
    dropped = pa.Table.from_pylist(gone, dropped_schema(schema))
    result = StageResult(kept, dropped, kept.num_rows + 1, artifacts=artifacts)
    staged = stage_files(home, stage, f"fp-{stage}", result)
    manifest = Manifest(
        stage=stage, stage_version=1, schema_version=SCHEMA_VERSION, fingerprint=f"fp-{stage}",
        parents={}, config={}, rows_in=result.rows_in, rows_kept=kept.num_rows, rows_dropped=1,
        drop_reasons=count_reasons(dropped), figures={}, content_sha256=content_sha256(kept),
        files={path.name: file_sha256(path) for path in staged.iterdir()},
        validation={}, versions={}, seconds=0.1, created="2026-11-24T10:00:00+00:00",
    )  # fmt: skip
    return commit(staged, home, manifest)


@pytest.fixture(scope="module")
def card(tmp_path_factory) -> DataCard:
    home = tmp_path_factory.mktemp("home")
    changes = [{"kind": "scrubbed.email", "count": 3}, {"kind": "hyphenation", "count": 2}]
    documents = [
        blank_row(DOCUMENT)
        | {
            "document_id": f"d{n}", "path": f"{n}.md", "sha256": "0" * 64, "title": "T",
            "media_type": "text/markdown", "parser": "markdown", "raw_text": "x", "text": "x",
            "changes": changes if n == 0 else [], "licence": "CC0-1.0" if n < 2 else None,
        }
        for n in range(3)
    ]  # fmt: skip
    rows = [
        blank_row(EXAMPLE)
        | {
            "example_id": f"e{n}", "kind": "fact" if n % 2 else "definition", "generator": "rule",
            "question": f"What is thing {n}? {HOSTILE}", "answer": "word " * (n + 1),
            "document_id": f"d{n % 3}", "chunk_id": "c", "group_id": f"g{n % 3}",
            "split": "train" if n < 8 else "test", "language": "en" if n else None,
            "grounding": 0.5 if n < 5 else 1.0,
            "scores": [{"name": "relevance", "score": 0.8}] if n < 2 else [],
            "flags": ["instructions"] if n == 3 else [],
        }
        for n in range(10)
    ]  # fmt: skip
    stages = [
        store(home, "ingestion", pa.Table.from_pylist(documents, DOCUMENT), {}),
        store(
            home,
            "selection",
            pa.Table.from_pylist(rows, EXAMPLE),
            {
                "warnings.json": json.dumps([f"Too small: {HOSTILE}"]),
                "coverage.json": json.dumps([[1, 0.4], [10, 1.0]]),
            },
        ),
        store(
            home,
            "splitting",
            pa.Table.from_pylist(rows, EXAMPLE),
            {"warnings.json": json.dumps(["The shares are off."])},
        ),
        store(
            home,
            "augmentation",
            pa.Table.from_pylist(rows, EXAMPLE),
            {"shift.json": json.dumps(SHIFTS)},
        ),
    ]
    return describe("Ferries", "behaviour", stages, lambda texts: [len(t.split()) for t in texts])


def test_the_figures_are_the_datasets(card: DataCard) -> None:
    assert {split.name: split.count for split in card.splits} == {"train": 8, "test": 2}
    assert card.kinds["definition"] == {"train": 4, "test": 1}
    answer = next(lengths for lengths in card.lengths if lengths.part == "answer")
    assert (answer.least, answer.median, answer.most) == (1, 6, 10)
    assert sum(answer.bars) == 10
    assert card.scrubbed == {"email": 3}
    assert card.cleaned == {"hyphenation": 2}
    assert [(licence.name, licence.count) for licence in card.licences] == [
        ("CC0-1.0", 2),
        ("unknown", 1),
    ]
    assert {score.judge: (score.rows, score.mean) for score in card.scores} == {
        "grounding": (10, 0.75),
        "relevance": (2, 0.8),
    }
    assert (card.groups, card.largest_group, card.documents) == (3, 4, 3)
    assert (card.sources[0].name, card.sources[0].count) == ("0.md", 4)
    assert card.duplicates["augmentation: near_duplicate"] == 1
    assert [(flag.name, flag.count) for flag in card.flags] == [("instructions", 1)]
    assert card.warnings[0].startswith("Too small")
    assert card.warnings[1:] == ["The shares are off.", "Augmentation moves the kinds."]
    assert [(shift.measure, shift.after) for shift in card.shifts] == [
        ("answer_words", 18.5),
        ("kinds", 3.5),
    ]
    assert card.coverage == [(1, 0.4), (10, 1.0)]


def test_hostile_text_stays_text(card: DataCard) -> None:
    html, markdown = card_html(card), card_markdown(card)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    examples = markdown.partition("## Examples")[2]
    assert "\\<script\\>" in examples
    assert "[x](" not in examples


def test_both_forms_say_the_same(card: DataCard) -> None:
    html, markdown = card_html(card), card_markdown(card)
    for said in ("CC0-1.0", "relevance", "fp-augmentation", "near duplicate", "17.25", "0.321"):
        assert said in markdown
        assert said.lower() in html.lower()
    assert markdown.startswith('---\npretty_name: "Ferries"\n')
    assert "size_categories:\n- n<1K" in markdown
    assert "\n\n\n" not in markdown
    assert 'class="curves"' in html


def test_a_dataset_without_documents_has_a_card(card: DataCard) -> None:
    bare = card.model_copy(
        update={
            "coverage": [],
            "scores": [],
            "formats": [],
            "licences": [],
            "warnings": [],
            "shifts": [],
        }
    )
    assert "none" in card_markdown(bare)
    assert 'class="curves"' not in card_html(bare)


def test_the_files_ending_says_which_form(card: DataCard, tmp_path: Path) -> None:
    for name, start in (("card.md", "---"), ("deep/card.html", "<!DOCTYPE html>")):
        write_card(card, tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="data card"):
        write_card(card, tmp_path / "file" / "card.md")
