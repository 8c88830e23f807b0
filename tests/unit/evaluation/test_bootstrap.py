import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import TooFewRows
from tasks.evaluation.bootstrap import Sample, paired_interval, unpaired_interval

REPEATS = 1_000


def sizes(clusters: int, unequal: bool, rng: np.random.Generator) -> np.ndarray:
    return 1 + rng.geometric(1 / 8, clusters) if unequal else np.full(clusters, 6)


def rows(clusters: int, unequal: bool, rng: np.random.Generator) -> tuple[np.ndarray, list[str]]:
    """Return values whose mean is 0, half of their variance shared within a cluster."""
    cluster = np.repeat(np.arange(clusters), sizes(clusters, unequal, rng))
    values = rng.normal(0, 1, clusters)[cluster] + rng.normal(0, 1, len(cluster))
    return values, [str(name) for name in cluster]


@pytest.mark.parametrize("unequal", [False, True], ids=["equal", "unequal"])
@pytest.mark.parametrize("clusters", [5, 10, 30, 100])
def test_95_percent_intervals_cover_95_percent(clusters: int, unequal: bool) -> None:
    rng = np.random.default_rng(clusters)
    hits = 0
    for seed in range(REPEATS):
        base, names = rows(clusters, unequal, rng)
        interval = paired_interval(base, np.zeros_like(base), names, seed, 400)
        hits += interval.low <= 0 <= interval.high
    # Five clusters of which one may hold most rows: rather too wide than too narrow.
    assert 0.93 <= hits / REPEATS <= (0.985 if clusters == 5 and unequal else 0.97)


@pytest.mark.parametrize(("first", "second"), [(10, 30), (5, 100), (30, 30)])
def test_unpaired_intervals_cover_95_percent(first: int, second: int) -> None:
    rng = np.random.default_rng(first)
    hits = 0
    for seed in range(REPEATS):
        samples = [Sample(*rows(number, True, rng)) for number in (first, second)]
        interval = unpaired_interval(*samples, seed, 400)
        hits += interval.low <= 0 <= interval.high
    assert 0.93 <= hits / REPEATS <= 0.97


@pytest.mark.parametrize(("items", "share"), [(40, 0.05), (150, 0.1)])
def test_intervals_of_changed_answers_cover_95_percent(items: int, share: float) -> None:
    """Accuracy: most items change from right to right or wrong to wrong."""
    rng = np.random.default_rng(0)
    hits = 0
    names = [str(number) for number in range(items)]
    for seed in range(REPEATS):
        base = rng.random(items) < 0.6
        flips = rng.random(items) < share
        interval = paired_interval(base, base ^ flips, names, seed, 400, right_or_wrong=True)
        hits += interval.low <= 0.4 * share - 0.6 * share <= interval.high
    # Two changed items of 40 come in few combinations: rather too wide than too narrow.
    assert 0.93 <= hits / REPEATS <= (1 if items == 40 else 0.97)


def test_unchanged_answers_still_leave_room_for_chance() -> None:
    answers, names = np.ones(150), [str(number) for number in range(150)]
    interval = paired_interval(answers, answers, names, 0, 2_000, right_or_wrong=True)
    assert interval.estimate == 0
    # Rule of three: of 150 items of which none changed, up to 2 % may change elsewhere.
    assert interval.high == pytest.approx(0.02, abs=0.004)
    assert interval.low == pytest.approx(-0.02, abs=0.004)


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from("abc")), min_size=2).filter(
        lambda found: len({name for _, _, name in found}) > 1
    )
)
@settings(max_examples=50)
def test_an_interval_of_shares_holds_its_estimate(found: list[tuple[bool, bool, str]]) -> None:
    base, tuned, names = map(list, zip(*found, strict=True))
    interval = paired_interval(base, tuned, names, 0, 300, right_or_wrong=True)
    assert -1 <= interval.low <= interval.estimate <= interval.high <= 1
    with pytest.raises(TooFewRows):
        paired_interval(base, tuned, ["a"] * len(names), 0, 300, right_or_wrong=True)


def test_the_estimate_is_the_weighted_mean_of_differences() -> None:
    base, tuned = [1.0, 2.0, 3.0], [2.0, 2.0, 1.0]
    interval = paired_interval(base, tuned, ["a", "b", "b"], 0, 500, weights=[1, 1, 2])
    assert interval.estimate == pytest.approx((1 + 0 - 2 * 2) / 4)
    assert interval.low <= interval.estimate <= interval.high


def test_the_unpaired_estimate_is_the_difference_of_means() -> None:
    first, second = Sample([1.0, 2.0, 3.0], ["a", "a", "b"]), Sample([1.0, 0.0], ["c", "d"])
    interval = unpaired_interval(first, second, 0, 500)
    assert interval.estimate == pytest.approx(2.0 - 0.5)
    assert interval.low < interval.estimate < interval.high


def test_pairing_takes_out_what_rows_have_in_common() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(0, 10, 50)
    names = [str(number) for number in range(50)]
    interval = paired_interval(base, base - 1 + rng.normal(0, 0.1, 50), names, 0, 500)
    assert interval.high < -0.9


def test_rows_of_one_cluster_count_as_one() -> None:
    rng = np.random.default_rng(0)
    effects = rng.normal(0, 1, 8)
    clusters = [str(number) for number in range(8)]
    once = paired_interval(np.zeros(8), effects, clusters, 0, 500)
    often = paired_interval(np.zeros(80), np.repeat(effects, 10), np.repeat(clusters, 10), 0, 500)
    alone = paired_interval(
        np.zeros(80), np.repeat(effects, 10), [str(number) for number in range(80)], 0, 500
    )
    assert often.low == pytest.approx(once.low)
    assert often.high == pytest.approx(once.high)
    assert alone.high - alone.low < 0.5 * (once.high - once.low)


def test_equal_models_have_no_difference() -> None:
    interval = paired_interval([1, 2], [1, 2], ["a", "b"], 0, 500)
    assert (interval.low, interval.estimate, interval.high) == (0, 0, 0)
    sample = Sample([0.0, 0.0], ["a", "b"])
    gap = unpaired_interval(sample, sample, 0, 500)
    assert (gap.low, gap.estimate, gap.high) == (0, 0, 0)


def test_one_cluster_says_nothing_about_chance() -> None:
    with pytest.raises(TooFewRows, match="at least two independent groups of rows, got 1"):
        paired_interval([1.0, 2.0], [2.0, 3.0], ["a", "a"], 0, 500)


def test_the_seed_fixes_the_interval() -> None:
    values, names = rows(10, True, np.random.default_rng(3))
    zero = np.zeros_like(values)
    first = paired_interval(zero, values, names, 1, 500)
    assert paired_interval(zero, values, names, 1, 500) == first
    assert paired_interval(zero, values, names, 2, 500) != first


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.sampled_from("abcd")), min_size=2, max_size=30).filter(
        lambda pairs: len({name for _, name in pairs}) > 1
    ),
    st.floats(-3, 3),
)
def test_a_shift_moves_the_whole_interval(pairs: list[tuple[float, str]], shift: float) -> None:
    values, names = np.array([value for value, _ in pairs]), [name for _, name in pairs]
    zero = np.zeros_like(values)
    before = paired_interval(zero, values, names, 0, 300)
    after = paired_interval(zero, values + shift, names, 0, 300)
    for end in ("low", "estimate", "high"):
        assert getattr(after, end) == pytest.approx(getattr(before, end) + shift, abs=1e-6)
