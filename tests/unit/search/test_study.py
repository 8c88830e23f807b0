"""A search in its database: drawn alike, resumed, its front and what mattered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import StorageError, TrainingError
from data_contracts.search import TrialRecord
from tasks.search.config import SweepConfig
from tasks.search.outcome import front, outcome_of
from tasks.search.study import fail, next_trial, opened_study, prune, study_name, succeed

RATE, DECAY = "training.learning_rate", "training.weight_decay"


def config(**options) -> SweepConfig:
    ranges = {
        RATE: {"type": "log", "low": 1e-5, "high": 1e-1},
        DECAY: {"type": "float", "low": 0, "high": 1},
    }
    return SweepConfig(space=ranges, **{"trials": 14, "startup_trials": 4} | options)


def loss(values):
    return (values[RATE] * 100 - 1) ** 2 + 0.01 * values[DECAY]


def search(home, options, stop_after=None):
    """Run a search; `stop_after` leaves the next trial running, as a kill would."""
    with opened_study(home, "s", options) as study:
        done = 0
        while (drawn := next_trial(study, options, "lora")) is not None:
            trial, values = drawn
            if done == stop_after:
                return None
            if done % 5 == 3:
                fail(study, trial, TrainingError("no memory"))
            elif done % 5 == 4:
                trial.report(1.0, 1)
                prune(study, trial)
            else:
                succeed(study, trial, [loss(values)] * len(options.objectives))
            done += 1
        return outcome_of(study, options)


def told(outcome):
    return [(t.values, t.state, t.objectives, t.reason) for t in outcome.trials]


def test_an_interrupted_search_ends_as_an_undisturbed_one(tmp_path):
    whole = search(tmp_path / "whole", config())
    assert search(tmp_path / "cut", config(), stop_after=5) is None
    with opened_study(tmp_path / "cut", "s", config()) as study:
        before = [t.number for t in outcome_of(study, config()).trials]
    search_rest = outcome_rest(tmp_path / "cut", whole)
    assert before == [0, 1, 2, 3, 4]
    assert told(search_rest) == told(whole)


def outcome_rest(home, whole):
    """Go on with the same outcomes as the undisturbed search had."""
    with opened_study(home, "s", config()) as study:
        while (drawn := next_trial(study, config(), "lora")) is not None:
            trial, values = drawn
            same = whole.trials[len(outcome_of(study, config()).trials)]
            assert values == same.values
            if same.state == "failed":
                fail(study, trial, TrainingError(same.reason))
            elif same.state == "pruned":
                trial.report(1.0, 1)
                prune(study, trial)
            else:
                succeed(study, trial, [same.objectives["loss"]])
        return outcome_of(study, config())


def test_a_finished_search_runs_nothing_more_and_can_be_made_longer(tmp_path):
    first = search(tmp_path, config())
    assert told(search(tmp_path, config(), stop_after=0)) == told(first)
    longer = search(tmp_path, config(trials=16))
    assert told(longer)[:14] == told(first)
    assert len(longer.trials) == 16


def test_a_trial_that_keeps_ending_the_process_is_given_up(tmp_path):
    for _ in range(2):
        assert search(tmp_path, config(trials=1), stop_after=0) is None
    outcome = search(tmp_path, config(trials=1), stop_after=0)
    assert outcome.trials[0].state == "failed"
    assert "ended the process 2 times" in outcome.trials[0].reason


def test_two_processes_do_not_run_one_search(tmp_path):
    with (
        opened_study(tmp_path, "s", config()),
        pytest.raises(StorageError, match="Another process"),
        opened_study(tmp_path, "s", config()),
    ):
        pass


def test_the_name_covers_what_changes_results():
    one = study_name(config(), {"rows": "a"})
    assert one == study_name(config(trials=99), {"rows": "a"})
    assert one != study_name(config(), {"rows": "b"})
    assert one != study_name(config(seed=1), {"rows": "a"})


def test_what_mattered_is_found(tmp_path):
    found = search(tmp_path, config(trials=40)).importances["loss"]
    assert found[RATE] > 0.7 > found[DECAY]
    assert sum(found.values()) == pytest.approx(1)
    assert search(tmp_path / "few", config(trials=5)).importances == {"loss": {}}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12))
def test_nothing_beats_the_front_and_it_beats_all_others(points):
    names = ("loss", "retention")
    trials = [record(n, dict(zip(names, map(float, p), strict=True))) for n, p in enumerate(points)]
    best = front(trials, names)

    def no_worse(a, b):
        return all(x <= y for x, y in zip(points[a], points[b], strict=True))

    assert best
    assert not any(no_worse(a, b) for a in best for b in best if a != b)
    assert all(any(no_worse(a, b) for a in best) for b in range(len(points)))


def record(number, objectives):
    return TrialRecord(
        number=number,
        state="complete",
        values={},
        objectives=objectives,
        figures={},
        reason=None,
        run_id=None,
        seconds=0,
    )
