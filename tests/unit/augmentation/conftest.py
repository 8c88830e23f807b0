"""Augmentation as the tests call it: with a cache that lasts as long as the tests."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from data_contracts.dataset import StageResult
from tasks.augmentation.augment import Materials, augment_examples
from tasks.augmentation.config import AugmentationConfig

Augment = Callable[..., StageResult]


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("augmentation")


@pytest.fixture(scope="session")
def augment(cache: Path) -> Augment:
    def run(examples: pa.Table, config: AugmentationConfig, **materials) -> StageResult:
        return augment_examples(examples, config, Materials(**({"cache": cache} | materials)))

    return run
