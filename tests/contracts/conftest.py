"""What the contract tests share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def libraries_are_no_garbage() -> Iterator[None]:
    """Each run of the trainer collects garbage, which took a third of its time in the libraries."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
