from collections.abc import Mapping
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts.results import (
    Comparison,
    Delta,
    ExportParity,
    Gap,
    Interval,
    LeakageCertificate,
    LeakageFinding,
    Lineage,
    Memorisation,
    Verdict,
)
from tasks.promotion.config import GateConfig, LegName
from tasks.promotion.gate import Evidence, judge
from tasks.promotion.outcomes import worst

RANK = {"FAIL": 0, "INSUFFICIENT EVIDENCE": 1, "PASS": 2}
CONFIG = GateConfig()
CONTRACTS: Mapping[str, Mapping[str, Any]] = {
    "curation": {"success": True, "rules": 9, "failures": []},
    "splitting": {"success": True, "rules": 9, "failures": []},
}

# What each leg looks at when it is judged by an interval: estimate, half its width.
GOOD = {
    "task": (-0.8, 0.3),
    "text": (0.01, 0.02),
    "skills": (0.0, 0.02),
    "arithmetic": (0.0, 0.1),
    "gap": (0.2, 0.1),
}


def interval(estimate: float, half: float) -> Interval:
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half)


def delta(set_: str, measure: str, value: tuple[float, float], **changes: Any) -> Delta:
    better = "higher" if measure == "accuracy" else "lower"
    fields = {"set": set_, "name": "all", "measure": measure, "better": better, "rows": 400}
    fields |= {"clusters": 40, "base": 2.0, "tuned": 2.0 + value[0], "delta": interval(*value)}
    return Delta.model_validate(fields | changes)


def comparison(values: Mapping[str, tuple[float, float]], **test: Any) -> Comparison:
    return Comparison(
        deltas=[
            delta("test", "cross_entropy", values["task"], **test),
            delta("general_text", "cross_entropy", values["text"]),
            delta("general_skill", "accuracy", values["skills"]),
            delta("general_skill", "accuracy", values["arithmetic"], name="arithmetic", rows=40),
        ],
        gaps=[Gap(set="test", base=0.0, tuned=0.2, excess=interval(*values["gap"]))],
        improved=[],
        worsened=[],
    )


def certificate(passed: bool = True, hits: int = 0, shared: int = 0) -> LeakageCertificate:
    finding = LeakageFinding(detector="exact", split="test", threshold=1.0, hits=hits, highest=0.0)
    return LeakageCertificate(
        rows={"train": 400, "test": 80},
        groups={"train": 40, "test": 9},
        shared_groups=shared,
        findings=[finding],
        ignored_template_ngrams=0,
        passed=passed,
    )


def verdict(**changes: tuple[float, float]) -> Verdict:
    return judge(Evidence(comparison({**GOOD, **changes}), certificate(), CONTRACTS), CONFIG)


def outcomes(found: Verdict) -> dict[str, str]:
    return {leg.name: leg.outcome for leg in found.legs}


def test_a_good_model_passes_every_leg() -> None:
    found = verdict()
    assert found.outcome == "PASS"
    assert outcomes(found) == dict.fromkeys(
        [
            "task_gain",
            "retention_text",
            "retention_skills",
            "overfitting",
            "leakage",
            "contracts",
            "sample_size",
        ],
        "PASS",
    )
    assert all(leg.reason.endswith(".") and leg.figures for leg in found.legs)


@pytest.mark.parametrize(
    ("leg", "change", "outcome"),
    [
        ("task_gain", {"task": (-0.3, 0.29)}, "PASS"),
        ("task_gain", {"task": (-0.3, 0.3)}, "INSUFFICIENT EVIDENCE"),  # touches 0
        ("task_gain", {"task": (0.2, 0.3)}, "INSUFFICIENT EVIDENCE"),
        ("task_gain", {"task": (0.4, 0.3)}, "FAIL"),
        ("task_gain", {"task": (0.0, 0.0)}, "FAIL"),  # the model did not change
        ("retention_text", {"text": (0.02, 0.03)}, "PASS"),
        ("retention_text", {"text": (-0.1, 0.2)}, "INSUFFICIENT EVIDENCE"),
        ("retention_text", {"text": (0.06, 0.02)}, "INSUFFICIENT EVIDENCE"),
        ("retention_text", {"text": (0.1, 0.04)}, "FAIL"),
        ("retention_skills", {"skills": (-0.01, 0.02)}, "PASS"),
        ("retention_skills", {"skills": (0.0, 0.05)}, "INSUFFICIENT EVIDENCE"),
        ("retention_skills", {"skills": (-0.04, 0.02)}, "INSUFFICIENT EVIDENCE"),
        ("retention_skills", {"skills": (-0.06, 0.02)}, "FAIL"),
        ("retention_skills", {"arithmetic": (-0.4, 0.2)}, "FAIL"),  # hidden in the average
        ("retention_skills", {"arithmetic": (-0.2, 0.2)}, "PASS"),
        ("overfitting", {"gap": (0.3, 0.2)}, "PASS"),
        ("overfitting", {"gap": (0.4, 0.2)}, "INSUFFICIENT EVIDENCE"),
        ("overfitting", {"gap": (2.0, 0.4)}, "FAIL"),
    ],
)
def test_each_leg_asks_whether_its_margin_is_kept(
    leg: str, change: dict[str, tuple[float, float]], outcome: str
) -> None:
    found = verdict(**change)
    assert outcomes(found)[leg] == outcome
    assert found.outcome == outcome
    assert sum(value != "PASS" for value in outcomes(found).values()) == int(outcome != "PASS")


def test_a_minimum_gain_can_be_demanded() -> None:
    config = GateConfig(min_task_gain=0.6)
    found = judge(Evidence(comparison(GOOD), certificate(), CONTRACTS), config)
    assert outcomes(found)["task_gain"] == "INSUFFICIENT EVIDENCE"
    found = judge(
        Evidence(comparison(GOOD), certificate(), CONTRACTS), GateConfig(min_task_gain=1.2)
    )
    assert outcomes(found)["task_gain"] == "FAIL"


def test_a_skill_that_was_destroyed_is_named() -> None:
    leg = next(x for x in verdict(arithmetic=(-0.5, 0.2)).legs if x.name == "retention_skills")
    assert "arithmetic" in leg.reason
    assert leg.figures["skill.arithmetic"] == -0.5


@pytest.mark.parametrize(
    "given_away", [certificate(passed=False), certificate(hits=1), certificate(shared=1)]
)
def test_any_leak_fails(given_away: LeakageCertificate) -> None:
    found = judge(Evidence(comparison(GOOD), given_away, CONTRACTS), CONFIG)
    assert outcomes(found)["leakage"] == "FAIL"
    assert found.outcome == "FAIL"


@pytest.mark.parametrize(
    ("report", "outcome"),
    [({"success": False, "failures": ["x"]}, "FAIL"), ({}, "FAIL"), ({"success": "yes"}, "FAIL")],
)
def test_contracts_must_all_have_succeeded(report: dict[str, Any], outcome: str) -> None:
    found = judge(
        Evidence(comparison(GOOD), certificate(), {**CONTRACTS, "chunking": report}), CONFIG
    )
    leg = next(leg for leg in found.legs if leg.name == "contracts")
    assert leg.outcome == outcome
    assert "chunking" in leg.reason


def test_unchecked_contracts_are_no_evidence() -> None:
    found = judge(Evidence(comparison(GOOD), certificate(), {}), CONFIG)
    assert outcomes(found)["contracts"] == "INSUFFICIENT EVIDENCE"


@pytest.mark.parametrize("few", [{"rows": 49}, {"clusters": 4}])
def test_small_samples_are_never_a_pass(few: dict[str, int]) -> None:
    found = judge(Evidence(comparison(GOOD, **few), certificate(), CONTRACTS), CONFIG)
    assert outcomes(found)["sample_size"] == "INSUFFICIENT EVIDENCE"
    assert found.outcome == "INSUFFICIENT EVIDENCE"


def test_what_was_not_measured_is_no_evidence() -> None:
    nothing = Comparison(deltas=[], gaps=[], improved=[], worsened=[])
    found = judge(Evidence(nothing, certificate(), CONTRACTS), CONFIG)
    unknown = {"task_gain", "retention_text", "retention_skills", "overfitting", "sample_size"}
    assert {name for name, out in outcomes(found).items() if out != "PASS"} == unknown
    assert found.outcome == "INSUFFICIENT EVIDENCE"


def test_the_worst_leg_is_the_verdict() -> None:
    assert worst(["PASS", "FAIL", "INSUFFICIENT EVIDENCE"]) == "FAIL"
    assert worst(["PASS", "INSUFFICIENT EVIDENCE"]) == "INSUFFICIENT EVIDENCE"
    assert worst(["PASS"]) == "PASS"
    assert worst([]) == "INSUFFICIENT EVIDENCE"


_VALUES = st.fixed_dictionaries(
    {
        name: st.tuples(
            st.floats(-1.5, 1.5) if name != "skills" else st.floats(-0.2, 0.2),
            st.floats(0.0, 0.8) if name != "skills" else st.floats(0.0, 0.1),
        )
        for name in GOOD
    }
)
# Direction in which each quantity is worse.
_WORSE = {"task": 1, "text": 1, "skills": -1, "arithmetic": -1, "gap": 1}


def ranks(values: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    found = judge(Evidence(comparison(values), certificate(), CONTRACTS), CONFIG)
    return {leg.name: RANK[leg.outcome] for leg in found.legs} | {"all": RANK[found.outcome]}


@given(_VALUES, st.sampled_from(sorted(GOOD)), st.floats(0.0, 2.0))
def test_a_worse_estimate_never_gives_a_better_verdict(
    values: dict[str, tuple[float, float]], name: str, by: float
) -> None:
    estimate, half = values[name]
    worse = values | {name: (estimate + _WORSE[name] * by, half)}
    before, after = ranks(values), ranks(worse)
    assert all(after[leg] <= before[leg] for leg in before)


@given(_VALUES, st.sampled_from(sorted(GOOD)), st.floats(0.0, 2.0))
def test_a_wider_interval_never_leads_to_pass_nor_to_fail(
    values: dict[str, tuple[float, float]], name: str, by: float
) -> None:
    estimate, half = values[name]
    before, after = ranks(values), ranks(values | {name: (estimate, half + by)})
    for leg in before:
        assert after[leg] in (before[leg], RANK["INSUFFICIENT EVIDENCE"]) or (
            # losing one ground for FAIL uncovers what the leg, or the verdict, is otherwise
            name == "arithmetic" and leg in ("retention_skills", "all") and before[leg] == 0
        )
        assert not (before[leg] == 1 and after[leg] == 0)


@given(st.integers(1, 200), st.integers(2, 50), st.integers(0, 100), st.integers(0, 30))
def test_fewer_rows_never_give_a_better_verdict(
    rows: int, clusters: int, fewer_rows: int, fewer_clusters: int
) -> None:
    def rank(rows: int, clusters: int) -> int:
        data = comparison(GOOD, rows=rows, clusters=clusters)
        return RANK[judge(Evidence(data, certificate(), CONTRACTS), CONFIG).outcome]

    assert rank(max(rows - fewer_rows, 0), max(clusters - fewer_clusters, 0)) <= rank(
        rows, clusters
    )


def memorisation(copying: float, half: float, exposure: float = 1.0) -> Memorisation:
    return Memorisation(prompts=100, copying=interval(copying, half), canaries=8, exposure=exposure)


def parity(difference: float = 0.01, equal: float = 1.0, prompts: int = 20) -> ExportParity:
    return ExportParity(
        form="GGUF", prompts=prompts, highest_difference=difference, equal_answers=equal
    )


def judged(config: GateConfig = CONFIG, **more: Any) -> Verdict:
    return judge(Evidence(comparison(GOOD), certificate(), CONTRACTS, **more), config)


@pytest.mark.parametrize(
    ("more", "leg", "outcome"),
    [
        ({"memorisation": memorisation(0.0, 0.01)}, "memorisation", "PASS"),
        ({"memorisation": memorisation(0.15, 0.1)}, "memorisation", "INSUFFICIENT EVIDENCE"),
        ({"memorisation": memorisation(0.4, 0.1)}, "memorisation", "FAIL"),
        ({"memorisation": memorisation(0.0, 0.01, exposure=10.5)}, "memorisation", "FAIL"),
        ({"lineage": Lineage(checks={"all is well": True})}, "lineage", "PASS"),
        ({"lineage": Lineage(checks={"a": True, "b": False})}, "lineage", "FAIL"),
        ({"export_parity": [parity()]}, "export_parity", "PASS"),
        ({"export_parity": [parity(difference=0.06)]}, "export_parity", "FAIL"),
        ({"export_parity": [parity(equal=0.9)]}, "export_parity", "FAIL"),
        ({"export_parity": [parity(), parity(difference=0.06)]}, "export_parity", "FAIL"),
        ({"export_parity": [parity(prompts=0)]}, "export_parity", "INSUFFICIENT EVIDENCE"),
    ],
)
def test_legs_measured_apart_count_where_they_were_measured(
    more: dict[str, Any], leg: str, outcome: str
) -> None:
    found = judged(**more)
    assert outcomes(found)[leg] == outcome
    assert found.outcome == outcome


@pytest.mark.parametrize(
    ("gap", "half", "outcome"),
    [
        (0.1, 0.5, "PASS"),
        (2.9, 0.5, "PASS"),  # likelier than test answers, as rows the base itself wrote are
        (-0.4, 0.5, "PASS"),
        (-0.8, 0.5, "INSUFFICIENT EVIDENCE"),
        (-2.9, 0.5, "FAIL"),
    ],
)
def test_training_answers_that_the_base_finds_unlikely_are_no_good_labels(
    gap: float, half: float, outcome: str
) -> None:
    found = comparison(GOOD)
    (known,) = found.gaps
    changed = known.model_copy(update={"base": gap, "base_interval": interval(gap, half)})
    evidence = Evidence(found.model_copy(update={"gaps": [changed]}), certificate(), CONTRACTS)
    verdict = judge(evidence, CONFIG)
    assert outcomes(verdict)["labels"] == verdict.outcome == outcome


@pytest.mark.parametrize("leg", ["memorisation", "stopping", "lineage", "export_parity"])
def test_a_leg_that_was_not_measured_is_absent_unless_it_is_required(leg: Any) -> None:
    assert leg not in outcomes(judged())
    found = judged(GateConfig(required=(leg,)))
    assert outcomes(found)[leg] == found.outcome == "INSUFFICIENT EVIDENCE"


@pytest.mark.parametrize(
    ("rate", "rows", "outcome"),
    [
        (0.7, 14, "PASS"),
        (0.5, 14, "PASS"),
        (0.4, 14, "INSUFFICIENT EVIDENCE"),
        (0.0, 8, "INSUFFICIENT EVIDENCE"),  # chance alone gives none of eight
        (0.0, 14, "FAIL"),
        (0.1, 100, "FAIL"),
    ],
)
def test_a_model_must_end_its_answers_whatever_the_base_does(
    rate: float, rows: int, outcome: str
) -> None:
    ended = delta("test", "stop_rate", (rate, 0.1), better="higher", base=0.0, rows=rows)
    found = comparison(GOOD)
    found = found.model_copy(
        update={"deltas": [*found.deltas, ended.model_copy(update={"tuned": rate})]}
    )
    verdict = judge(Evidence(found, certificate(), CONTRACTS), CONFIG)
    assert outcomes(verdict)["stopping"] == verdict.outcome == outcome


def test_a_broken_lineage_says_what_is_not_true() -> None:
    checks = {"the base is the one that was trained on": False, "all else": True}
    (leg,) = (x for x in judged(lineage=Lineage(checks=checks)).legs if x.name == "lineage")
    assert leg.reason == "It is not true that the base is the one that was trained on."


def test_a_leg_switched_off_does_not_count_and_its_reason_stays() -> None:
    reason = "The documents' owner accepts what the audit found."
    config = GateConfig(switched_off={"leakage": reason})
    found = judge(Evidence(comparison(GOOD), certificate(hits=3), CONTRACTS), config)
    assert found.outcome == "PASS"
    assert "leakage" not in outcomes(found)
    assert found.switched_off == {"leakage": reason}


def test_with_every_leg_switched_off_nothing_has_been_shown() -> None:
    config = GateConfig(switched_off=dict.fromkeys(get_args(LegName), "for this test alone"))
    found = judge(Evidence(comparison(GOOD), certificate(), CONTRACTS), config)
    assert (found.legs, found.outcome) == ([], "INSUFFICIENT EVIDENCE")


@pytest.mark.parametrize(
    "values",
    [
        {"switched_off": {"leakage": "n/a"}},
        {"switched_off": {"leakages": "a reason long enough"}},
        {"switched_off": {"memorisation": "not measured here"}, "required": ["memorisation"]},
        {"required": ["leakage"]},
    ],
)
def test_what_the_profile_says_of_legs_is_checked(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GateConfig.model_validate(values)


def skills(losses: Mapping[str, tuple[float, float]]) -> Verdict:
    found = comparison(GOOD)
    each = [
        delta("general_skill", "accuracy", value, name=name, rows=40)
        for name, value in losses.items()
    ]
    return judge(
        Evidence(
            found.model_copy(update={"deltas": found.deltas[:3] + each}), certificate(), CONTRACTS
        ),
        CONFIG,
    )


def test_one_skill_of_many_that_chance_moved_is_not_called_destroyed() -> None:
    unlucky = (-0.4, 0.24)  # alone, just beyond the margin
    assert outcomes(skills({"a": unlucky}))["retention_skills"] == "FAIL"
    fine = {f"skill {number}": (0.0, 0.1) for number in range(19)}
    found = skills({"a": unlucky, **fine})
    assert outcomes(found)["retention_skills"] == "PASS"
    leg = next(leg for leg in found.legs if leg.name == "retention_skills")
    assert 0.025 < leg.figures["corrected_p.a"] < 1
    assert outcomes(skills({"a": (-0.7, 0.24), **fine}))["retention_skills"] == "FAIL"


def test_a_gain_inside_the_noise_of_measuring_is_none() -> None:
    noisy = comparison(GOOD, noise_floor=0.6)
    found = judge(Evidence(noisy, certificate(), CONTRACTS), CONFIG)
    assert outcomes(found)["task_gain"] == "INSUFFICIENT EVIDENCE"
    quiet = judge(Evidence(comparison(GOOD, noise_floor=0.4), certificate(), CONTRACTS), CONFIG)
    assert outcomes(quiet)["task_gain"] == "PASS"


@pytest.mark.parametrize("set_", ["general_text", "general_skill"])
def test_measuring_that_is_noisier_than_the_margin_shows_no_retention(set_: str) -> None:
    found = comparison(GOOD)
    deltas = [
        d.model_copy(update={"noise_floor": 0.2}) if (d.set, d.name) == (set_, "all") else d
        for d in found.deltas
    ]
    noisy = found.model_copy(update={"deltas": deltas})
    assert judge(Evidence(noisy, certificate(), CONTRACTS), CONFIG).outcome == (
        "INSUFFICIENT EVIDENCE"
    )


@given(
    st.floats(-0.1, 0.3), st.floats(0, 0.2), st.floats(0, 15), st.floats(0, 0.5), st.floats(0, 5)
)
def test_more_memorisation_never_gives_a_better_verdict(
    copying: float, half: float, exposure: float, more: float, bits: float
) -> None:
    before = judged(memorisation=memorisation(copying, half, exposure))
    after = judged(memorisation=memorisation(copying + more, half, exposure + bits))
    assert RANK[after.outcome] <= RANK[before.outcome]


@given(
    st.floats(0, 0.1), st.floats(0, 1), st.integers(0, 9), st.floats(0, 1), st.floats(0, 1),
    st.integers(0, 9),
)  # fmt: skip
def test_a_worse_export_never_gives_a_better_verdict(
    difference: float, equal: float, prompts: int, more: float, less: float, fewer: int
) -> None:
    before = judged(export_parity=[parity(difference, equal, prompts)])
    worse = parity(difference + more, equal * (1 - less), max(prompts - fewer, 0))
    assert RANK[judged(export_parity=[worse]).outcome] <= RANK[before.outcome]


_LOSSES = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(st.floats(-1, 0.2), st.floats(0, 0.5)), min_size=1
)


@given(_LOSSES, st.data(), st.floats(0, 1))
def test_a_skill_that_lost_more_never_gives_a_better_verdict(
    losses: dict[str, tuple[float, float]], data: st.DataObject, by: float
) -> None:
    name = data.draw(st.sampled_from(sorted(losses)))
    estimate, half = losses[name]
    worse = losses | {name: (estimate - by, half)}
    assert RANK[skills(worse).outcome] <= RANK[skills(losses).outcome]


@given(_VALUES, st.floats(0, 1), st.floats(0, 1))
def test_noisier_measuring_never_leads_to_a_pass(
    values: dict[str, tuple[float, float]], noise: float, more: float
) -> None:
    def rank(floor: float) -> int:
        found = comparison(values)
        deltas = [d.model_copy(update={"noise_floor": floor}) for d in found.deltas]
        noisy = found.model_copy(update={"deltas": deltas})
        return RANK[judge(Evidence(noisy, certificate(), CONTRACTS), CONFIG).outcome]

    assert rank(noise + more) < 2 or rank(noise) == 2
