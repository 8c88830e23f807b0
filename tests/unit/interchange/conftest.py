"""Rows and tools that the tests of import and export share."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data_contracts.dataset import Manifest, StageResult
from tasks.interchange.config import DatasetSource, ImportConfig
from tasks.interchange.imports import import_datasets
from tasks.interchange.locate import locate
from tasks.interchange.rows import TextTools
from tasks.scrubbing.config import ScrubbingConfig
from tasks.scrubbing.scrub import Scrubbed, Scrubber

Import = Callable[..., StageResult]


def words(counted: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in counted]


@pytest.fixture
def untouched() -> TextTools:
    return TextTools(scrub=Scrubbed, language=lambda _: None, count=words)


@pytest.fixture
def scrubbing() -> TextTools:
    return TextTools(scrub=Scrubber(ScrubbingConfig()).scrub, language=lambda _: None, count=words)


@pytest.fixture
def imported(tmp_path: Path, untouched: TextTools) -> Import:
    """Import one source: `imported(path, turns="last", format="alpaca")`."""

    def run(path: Path, tools: TextTools = untouched, **options: Any) -> StageResult:
        bounds = {k: options.pop(k) for k in list(options) if k in ImportConfig.model_fields}
        source = DatasetSource(path=str(path), **options)
        config = ImportConfig(sources=(source,), **bounds)
        cache = tmp_path / ".cache"
        return import_datasets([locate(source, cache)], config, tools, str(id(tools)), cache)

    return run


def rows(result: StageResult) -> list[dict[str, Any]]:
    return result.kept.to_pylist()


def reasons(result: StageResult) -> list[str]:
    return result.dropped.column("reason").to_pylist()


def texts(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["history"], row["context"], row["question"], row["answer"]


def manifest(**more: Any) -> Manifest:
    """Return the manifest of a finished dataset."""
    values = {
        "stage": "augmentation",
        "stage_version": 1,
        "schema_version": 2,
        "fingerprint": "f" * 32,
        "parents": {},
        "config": {},
        "rows_in": 3,
        "rows_kept": 3,
        "rows_dropped": 0,
        "drop_reasons": {},
        "figures": {},
        "content_sha256": "c" * 64,
        "files": {},
        "validation": {},
        "versions": {},
        "seconds": 1.0,
        "created": datetime(2026, 1, 2, tzinfo=UTC).isoformat(),
    }
    return Manifest(**(values | more))
