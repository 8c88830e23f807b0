"""No frequent item is missed."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.ingestion.frequent import frequent_items

SETS = st.lists(st.frozensets(st.sampled_from("abcdefgh"), max_size=5), max_size=80)


@given(SETS, st.sampled_from([0.1, 0.2, 0.5, 0.9]))
def test_whatever_is_in_more_than_the_share_is_found(sets: list[frozenset[str]], share: float):
    found, total = frequent_items(sets, share)
    assert total == len(sets)
    wanted = {item for item in "abcdefgh" if sum(item in s for s in sets) > share * len(sets)}
    assert wanted <= found


def test_what_is_rare_is_not_kept() -> None:
    found, _ = frequent_items(({f"only {n}", "shared"} for n in range(10_000)), 0.2)
    assert "shared" in found
    assert len(found) < 100
