"""The front of some points and the recommended one."""

from hypothesis import given
from hypothesis import strategies as st

from data_contracts.front import FrontPoint
from data_contracts.results import Interval
from tasks.front.choose import front_of, within_margins
from tasks.promotion.config import GateConfig

GATE = GateConfig(max_text_loss=0.05, max_skill_loss=0.03)


def interval(estimate: float, half: float = 0.01) -> Interval:
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half)


def point(number: int, learning: float, forgetting: float, skills: float | None = None):
    return FrontPoint(
        number=number,
        name=f"point {number}",
        values={},
        learning=interval(learning),
        forgetting=interval(forgetting),
        skill_loss=None if skills is None else interval(skills),
    )


def test_a_front_worked_out_by_hand():
    front = front_of(
        [
            point(0, 0.10, 0.00),
            point(1, 0.30, 0.03),
            point(2, 0.50, 0.10),  # learned most, but beyond the margin
            point(3, 0.20, 0.04),  # beaten by 1
            point(4, 0.30, 0.045),  # beaten by 1, and its interval reaches beyond the margin
            FrontPoint(number=5, name="broken", values={}, reason="memory ran out"),
        ],
        GATE,
    )
    assert front.pareto == [0, 1, 2]
    assert front.recommended == 1
    assert "2" not in front.because.split("of the")[0] and "of the 3 of 5" in front.because


def test_equal_points_do_not_beat_each_other():
    assert front_of([point(0, 0.1, 0.0), point(1, 0.1, 0.0)], GATE).pareto == [0, 1]


def test_a_gain_that_could_be_chance_and_skills_surely_lost_are_not_recommended():
    by_chance, careless = point(0, 0.005, 0.0), point(1, 0.9, 0.0, skills=0.2)
    assert front_of([by_chance, careless], GATE).recommended is None
    assert front_of([by_chance, careless, point(2, 0.1, 0.0, skills=0.02)], GATE).recommended == 2


figures = st.floats(-1, 1).map(lambda value: round(value, 2))


@given(st.lists(st.tuples(figures, figures), min_size=1, max_size=12))
def test_no_point_of_the_front_is_beaten_and_every_other_is(pairs):
    points = [point(number, *pair) for number, pair in enumerate(pairs)]
    front = front_of(points, GATE)
    on_it = set(front.pareto)
    for number, (learning, forgetting) in enumerate(pairs):
        beaten = any(
            a >= learning and b <= forgetting and (a, b) != (learning, forgetting) for a, b in pairs
        )
        assert beaten == (number not in on_it)
    allowed = [p for p in points if within_margins(p, GATE)]
    assert (front.recommended is None) == (not allowed)
    if front.recommended is not None:
        chosen = front.point(front.recommended)
        assert chosen.forgetting.high <= GATE.max_text_loss and chosen.learning.low > 0
        assert chosen.learning.estimate == max(p.learning.estimate for p in allowed)
