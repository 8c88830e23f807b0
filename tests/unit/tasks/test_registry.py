from typing import Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from data_contracts.base import Config
from data_contracts.errors import UnknownName
from tasks.registry import Registry


class Sort(Config):
    sort: str


@pytest.fixture
def registry() -> Registry[Sort]:
    made: Registry[Sort] = Registry("sort", "tests_no_such_package", "sort")
    made._loaded = True  # plug-ins of this test are registered by hand

    @made.register
    class Bubble(Sort):
        sort: Literal["bubble"] = "bubble"
        rounds: int = 1

    @made.register
    class Quick(Sort):
        sort: Literal["quick"] = "quick"

    return made


def test_members_are_found_by_name(registry):
    assert registry.names() == ["bubble", "quick"]
    assert registry.get("quick")().sort == "quick"


def test_an_unknown_name_answers_with_near_matches(registry):
    with pytest.raises(UnknownName, match=r"'bubbel'.*Did you mean 'bubble'.*Known: bubble, quick"):
        registry.get("bubbel")


def test_two_members_may_not_share_a_name(registry):
    with pytest.raises(ValueError, match="'bubble'"):

        @registry.register
        class Other(Sort):
            sort: Literal["bubble"] = "bubble"


def test_the_union_validates_by_name_and_refuses_foreign_options(registry):
    adapter = TypeAdapter(registry.union())
    assert adapter.validate_python({"sort": "bubble", "rounds": 3}).rounds == 3
    with pytest.raises(ValidationError):
        adapter.validate_python({"sort": "quick", "rounds": 3})
