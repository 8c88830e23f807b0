"""What tests from end to end share."""

from collections.abc import Iterator

import pytest

from tests.endpoint import Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """An OpenAI-compatible endpoint on loopback."""
    server = Endpoint()
    yield server
    server.close()
