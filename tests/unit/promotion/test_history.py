import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import PromotionError
from tasks.promotion.champion import Registry
from tasks.promotion.history import (
    ChampionChange,
    add_to_history,
    earlier_champion,
    read_history,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def change(version: str, action: Any = "promotion") -> ChampionChange:
    return ChampionChange(
        action=action, version=version, previous=None, by="ada", at="2026-01-01", reason="why"
    )


@pytest.mark.parametrize(
    ("changes", "champion", "earlier"),
    [
        ("", "1", None),
        ("1", "1", None),
        ("1 2", "2", "1"),
        ("1 2 3", "3", "2"),
        ("1 2 <1", "1", None),
        ("1 2 3 <2", "2", "1"),
        ("1 2 3 <1 4", "4", "1"),
        ("1 2 3 2", "2", "3"),  # promoted once more
        ("1 <5", "5", "1"),  # back to one that never was the champion
        ("1 2", "1", None),  # 2 was announced and never came true
        ("1 2", "9", "2"),  # made the champion by hand, past Temper
    ],
)
def test_what_was_the_champion_before(changes: str, champion: str, earlier: str | None) -> None:
    history = [
        change(text.lstrip("<"), "rollback" if text.startswith("<") else "promotion")
        for text in changes.split()
    ]
    assert earlier_champion(history, champion) == earlier


@given(st.lists(st.sampled_from("12345"), min_size=1, max_size=12))
def test_rolling_back_again_and_again_comes_to_an_end(promoted: list[str]) -> None:
    history = [change(version) for version in promoted]
    seen = [promoted[-1]]
    while (earlier := earlier_champion(history, seen[-1])) is not None:
        assert earlier not in seen
        history.append(change(earlier, "rollback"))
        seen.append(earlier)
    assert set(seen) == set(promoted)


def test_entries_come_back_in_order_and_are_never_replaced(registry: Registry) -> None:
    made = [change(str(number)) for number in range(12)]
    for entry in made:
        add_to_history(registry.client, registry.name, entry)
    assert read_history(registry.client, registry.name) == made


def test_an_entry_that_was_tampered_with_is_said_so(registry: Registry) -> None:
    text = json.dumps({"action": "promotion"})
    registry.client.set_registered_model_tag(registry.name, "temper.history.000001", text)
    with pytest.raises(PromotionError, match="not as Temper wrote it"):
        read_history(registry.client, registry.name)
