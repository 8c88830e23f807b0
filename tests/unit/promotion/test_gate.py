from collections.abc import Callable, Mapping
from dataclasses import replace
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
    "labels": (0.1, 0.3),
}


def interval(estimate: float, half: float) -> Interval:
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half)


def delta(set_: str, measure: str, value: tuple[float, float], **changes: Any) -> Delta:
    better = "higher" if measure == "accuracy" else "lower"
    fields = {"set": set_, "name": "all", "measure": measure, "better": better, "rows": 400}
    fields |= {"clusters": 40, "base": 2.0, "tuned": 2.0 + value[0], "delta": interval(*value)}
    return Delta.model_validate(fields | changes)


def ends(rate: float, rows: int = 14) -> Delta:
    """Return how many of its answers a tuned model ends whose base ends none."""
    changes = {"better": "higher", "base": 0.0, "tuned": rate, "rows": rows}
    return delta("test", "stop_rate", (rate, 0.1), **changes)


def comparison(values: Mapping[str, tuple[float, float]], **test: Any) -> Comparison:
    return Comparison(
        deltas=[
            delta("test", "cross_entropy", values["task"], **test),
            delta("general_text", "cross_entropy", values["text"]),
            delta("general_skill", "accuracy", values["skills"]),
            delta("general_skill", "accuracy", values["arithmetic"], name="arithmetic", rows=40),
            delta("general_skill", "accuracy", (0.0, 0.02), name="reading", rows=360),
            ends(0.8),
        ],
        gaps=[
            Gap(
                set="test",
                base=values["labels"][0],
                tuned=0.2,
                excess=interval(*values["gap"]),
                base_interval=interval(*values["labels"]),
            )
        ],
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


def memorisation(copying: float, half: float, exposure: float = 1.0) -> Memorisation:
    return Memorisation(prompts=100, copying=interval(copying, half), canaries=8, exposure=exposure)


def parity(difference: float = 0.01, equal: float = 1.0, prompts: int = 20) -> ExportParity:
    return ExportParity(
        form="GGUF", prompts=prompts, highest_difference=difference, equal_answers=equal
    )


def evidence(found: Comparison | None = None, **changes: Any) -> Evidence:
    """Return good evidence for every leg, but for what is given."""
    good = Evidence(
        found or comparison(GOOD),
        certificate(),
        CONTRACTS,
        memorisation(0.0, 0.01),
        [parity()],
        Lineage(checks={"all is well": True}),
    )
    return replace(good, **changes)


def judged(config: GateConfig = CONFIG, **changes: Any) -> Verdict:
    return judge(evidence(**changes), config)


def verdict(**changes: tuple[float, float]) -> Verdict:
    return judge(evidence(comparison({**GOOD, **changes})), CONFIG)


def outcomes(found: Verdict) -> dict[str, str]:
    return {leg.name: leg.outcome for leg in found.legs}


def test_a_good_model_passes_every_leg() -> None:
    found = verdict()
    assert found.outcome == "PASS"
    assert outcomes(found) == dict.fromkeys(get_args(LegName), "PASS")
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
        ("labels", {"labels": (2.9, 0.5)}, "PASS"),  # likelier, as rows the base itself wrote are
        ("labels", {"labels": (-0.4, 0.5)}, "PASS"),
        ("labels", {"labels": (-0.8, 0.5)}, "INSUFFICIENT EVIDENCE"),
        ("labels", {"labels": (-2.9, 0.5)}, "FAIL"),  # answers to other questions
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
    assert outcomes(judge(evidence(), config))["task_gain"] == "INSUFFICIENT EVIDENCE"
    found = judge(evidence(), GateConfig(min_task_gain=1.2))
    assert outcomes(found)["task_gain"] == "FAIL"


def test_a_skill_that_was_destroyed_is_named() -> None:
    leg = next(x for x in verdict(arithmetic=(-0.5, 0.2)).legs if x.name == "retention_skills")
    assert "arithmetic" in leg.reason
    assert leg.figures["skill.arithmetic"] == -0.5


@pytest.mark.parametrize(
    "given_away", [certificate(passed=False), certificate(hits=1), certificate(shared=1)]
)
def test_any_leak_fails(given_away: LeakageCertificate) -> None:
    found = judge(evidence(certificate=given_away), CONFIG)
    assert outcomes(found)["leakage"] == "FAIL"
    assert found.outcome == "FAIL"


@pytest.mark.parametrize(
    ("report", "outcome"),
    [({"success": False, "failures": ["x"]}, "FAIL"), ({}, "FAIL"), ({"success": "yes"}, "FAIL")],
)
def test_contracts_must_all_have_succeeded(report: dict[str, Any], outcome: str) -> None:
    found = judge(evidence(contracts={**CONTRACTS, "chunking": report}), CONFIG)
    leg = next(leg for leg in found.legs if leg.name == "contracts")
    assert leg.outcome == outcome
    assert "chunking" in leg.reason


@pytest.mark.parametrize("few", [{"rows": 49}, {"clusters": 4}])
def test_small_samples_are_never_a_pass(few: dict[str, int]) -> None:
    found = judge(evidence(comparison(GOOD, **few)), CONFIG)
    assert outcomes(found)["sample_size"] == "INSUFFICIENT EVIDENCE"
    assert found.outcome == "INSUFFICIENT EVIDENCE"


def test_the_worst_leg_is_the_verdict() -> None:
    assert worst(["PASS", "FAIL", "INSUFFICIENT EVIDENCE"]) == "FAIL"
    assert worst(["PASS", "INSUFFICIENT EVIDENCE"]) == "INSUFFICIENT EVIDENCE"
    assert worst(["PASS"]) == "PASS"
    assert worst([]) == "INSUFFICIENT EVIDENCE"


_ESTIMATES = {"skills": st.floats(-0.2, 0.2), "copying": st.floats(-0.1, 0.4)}
_VALUES = st.fixed_dictionaries(
    {
        name: st.tuples(
            _ESTIMATES.get(name, st.floats(-1.5, 1.5)),
            st.floats(0.0, 0.1) if name in _ESTIMATES else st.floats(0.0, 0.8),
        )
        for name in [*GOOD, "copying"]
    }
)
_COUNTS = st.fixed_dictionaries(
    {
        "exposure": st.floats(0, 15),
        "stopped": st.floats(0, 1),
        "rows": st.integers(1, 200),
        "clusters": st.integers(2, 50),
        "hits": st.integers(0, 2),
        "shared": st.integers(0, 2),
        "broken": st.integers(0, 2),
        "untrue": st.integers(0, 2),
        "difference": st.floats(0, 0.1),
        "equal": st.floats(0.9, 1),
        "prompts": st.integers(0, 9),
    }
)
# Direction in which each quantity is worse.
_WORSE = {"task": 1, "text": 1, "skills": -1, "arithmetic": -1, "gap": 1, "labels": -1}
_WORSE |= {"copying": 1, "exposure": 1, "hits": 1, "shared": 1, "broken": 1, "untrue": 1}
_WORSE |= {"difference": 1, "equal": -1, "prompts": -1, "stopped": -1, "rows": -1, "clusters": -1}


def built(values: Mapping[str, Any]) -> Evidence:
    """Return evidence on every leg with these intervals, counts and shares."""
    found = comparison(values, rows=values["rows"], clusters=values["clusters"])
    deltas = [ends(values["stopped"]) if d.measure == "stop_rate" else d for d in found.deltas]
    copying, half = values["copying"]
    names, leaks = ["curation", "splitting"], values["hits"] + values["shared"]
    return Evidence(
        found.model_copy(update={"deltas": deltas}),
        certificate(not leaks, values["hits"], values["shared"]),
        {name: {"success": at >= values["broken"]} for at, name in enumerate(names)},
        memorisation(copying, half, values["exposure"]),
        [parity(values["difference"], values["equal"], values["prompts"])],
        Lineage(checks={name: at >= values["untrue"] for at, name in enumerate(names)}),
    )


def made_worse(values: Mapping[str, Any], name: str, share: float) -> dict[str, Any]:
    """Return the values with one of them worse by up to this share of what it can be."""
    value, way = values[name], _WORSE[name]
    if isinstance(value, tuple):
        return {**values, name: (value[0] + way * 2 * share, value[1])}
    if way < 0 and isinstance(value, int):
        return {**values, name: max(int(value * (1 - share)), 0)}
    if way < 0:
        return {**values, name: value * (1 - share)}
    return {**values, name: value + (round(2 * share) if isinstance(value, int) else 15 * share)}


def ranked(found: Verdict) -> dict[str, int]:
    return {leg.name: RANK[leg.outcome] for leg in found.legs} | {"all": RANK[found.outcome]}


def ranks(values: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    return ranked(judge(evidence(comparison(values)), CONFIG))


def test_every_quantity_of_every_leg_is_made_worse_somewhere() -> None:
    good = {**GOOD, "copying": (0.0, 0.01), "exposure": 1.0, "stopped": 0.8, "rows": 200}
    good |= {"clusters": 40, "hits": 0, "shared": 0, "broken": 0, "untrue": 0}
    good |= {"difference": 0.0, "equal": 1.0, "prompts": 9}
    before = ranked(judge(built(good), CONFIG))
    assert set(before.values()) == {RANK["PASS"]} and before.keys() > set(get_args(LegName))
    fallen = set[str]()
    for name in _WORSE:
        after = ranked(judge(built(made_worse(good, name, 1.0)), CONFIG))
        assert after["all"] < before["all"], name
        fallen |= {leg for leg in before if after[leg] < before[leg]}
    assert fallen == before.keys()


@given(_VALUES, _COUNTS, st.sampled_from(sorted(_WORSE)), st.floats(0, 1))
def test_worse_evidence_never_gives_a_better_verdict(
    values: dict[str, Any], counts: dict[str, Any], name: str, share: float
) -> None:
    whole = values | counts
    before = ranked(judge(built(whole), CONFIG))
    after = ranked(judge(built(made_worse(whole, name, share)), CONFIG))
    assert before.keys() == after.keys() == {*get_args(LegName), "all"}
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


Taken = Callable[[Evidence], Evidence]


def without_delta(set_: str, measure: str, name: str = "all") -> Taken:
    def taken(found: Evidence) -> Evidence:
        deltas = [
            d
            for d in found.comparison.deltas
            if (d.set, d.measure, d.name) != (set_, measure, name)
        ]
        assert len(deltas) < len(found.comparison.deltas)
        return replace(found, comparison=found.comparison.model_copy(update={"deltas": deltas}))

    return taken


def without_gaps(found: Evidence) -> Evidence:
    return replace(found, comparison=found.comparison.model_copy(update={"gaps": []}))


def without_base_interval(found: Evidence) -> Evidence:
    gaps = [gap.model_copy(update={"base_interval": None}) for gap in found.comparison.gaps]
    return replace(found, comparison=found.comparison.model_copy(update={"gaps": gaps}))


def without_findings(found: Evidence) -> Evidence:
    return replace(found, certificate=found.certificate.model_copy(update={"findings": []}))


# What is taken away, and the legs that rest on it.
TAKEN: dict[str, tuple[Taken, set[str]]] = {
    "test": (without_delta("test", "cross_entropy"), {"task_gain", "sample_size"}),
    "text": (without_delta("general_text", "cross_entropy"), {"retention_text", "sample_size"}),
    "skills": (without_delta("general_skill", "accuracy"), {"retention_skills", "sample_size"}),
    "one skill": (without_delta("general_skill", "accuracy", "arithmetic"), {"retention_skills"}),
    "gaps": (without_gaps, {"overfitting", "labels"}),
    "the base's interval": (without_base_interval, {"labels"}),
    "memorisation": (lambda found: replace(found, memorisation=None), {"memorisation"}),
    "stopping": (without_delta("test", "stop_rate"), {"stopping"}),
    "findings": (without_findings, {"leakage"}),
    "contracts": (lambda found: replace(found, contracts={}), {"contracts"}),
    "lineage": (lambda found: replace(found, lineage=None), {"lineage"}),
    "its checks": (lambda found: replace(found, lineage=Lineage(checks={})), {"lineage"}),
    "exports": (lambda found: replace(found, export_parity=[]), {"export_parity"}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_was_not_measured_is_no_evidence(name: str) -> None:
    taken, legs = TAKEN[name]
    found = judge(taken(evidence()), CONFIG)
    expected = dict.fromkeys(get_args(LegName), "PASS") | dict.fromkeys(
        legs, "INSUFFICIENT EVIDENCE"
    )
    assert outcomes(found) == expected
    assert found.outcome == "INSUFFICIENT EVIDENCE"


def test_every_leg_has_evidence_that_can_be_taken_away() -> None:
    assert set.union(*(legs for _, legs in TAKEN.values())) == set(get_args(LegName))


@given(_VALUES, _COUNTS, st.sets(st.sampled_from(sorted(TAKEN)), min_size=1))
def test_taking_evidence_away_never_leads_to_pass(
    values: dict[str, Any], counts: dict[str, Any], names: set[str]
) -> None:
    """A FAIL can become INSUFFICIENT EVIDENCE, since it has to be shown; neither is promoted."""
    whole = rest = built(values | counts)
    touched = set[str]()
    for name in sorted(names - {"its checks", "the base's interval"}):
        taken, legs = TAKEN[name]
        rest, touched = taken(rest), touched | legs
    before, after = (outcomes(judge(found, CONFIG)) for found in (whole, rest))
    for leg in before:
        if leg not in touched:
            assert after[leg] == before[leg]
        else:
            assert after[leg] == "INSUFFICIENT EVIDENCE" or after[leg] == before[leg] == "FAIL"
    if touched:
        assert judge(rest, CONFIG).outcome != "PASS"


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
def test_legs_measured_apart_count(more: dict[str, Any], leg: str, outcome: str) -> None:
    found = judged(**more)
    assert outcomes(found)[leg] == outcome
    assert found.outcome == outcome


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
    found = comparison(GOOD)
    deltas = [ends(rate, rows) if d.measure == "stop_rate" else d for d in found.deltas]
    verdict = judge(evidence(found.model_copy(update={"deltas": deltas})), CONFIG)
    assert outcomes(verdict)["stopping"] == verdict.outcome == outcome


def test_a_broken_lineage_says_what_is_not_true() -> None:
    checks = {"the base is the one that was trained on": False, "all else": True}
    (leg,) = (x for x in judged(lineage=Lineage(checks=checks)).legs if x.name == "lineage")
    assert leg.reason == "It is not true that the base is the one that was trained on."


def test_a_leg_switched_off_does_not_count_and_its_reason_stays() -> None:
    reason = "The documents' owner accepts what the audit found."
    config = GateConfig(switched_off={"leakage": reason})
    found = judge(evidence(certificate=certificate(hits=3)), config)
    assert found.outcome == "PASS"
    assert "leakage" not in outcomes(found)
    assert found.switched_off == {"leakage": reason}


def test_with_every_leg_switched_off_nothing_has_been_shown() -> None:
    config = GateConfig(switched_off=dict.fromkeys(get_args(LegName), "for this test alone"))
    found = judge(evidence(), config)
    assert (found.legs, found.outcome) == ([], "INSUFFICIENT EVIDENCE")


def test_a_gate_without_legs_keeps_the_required_ones_and_the_reasons_that_were_given() -> None:
    given = GateConfig(switched_off={"stopping": "given in the profile"}, required=("lineage",))
    told = {"stopping": "told beside it", "lineage": "told beside it", "labels": "told beside it"}
    assert given.without(told).switched_off == {  # type: ignore[arg-type]
        "stopping": "given in the profile",
        "labels": "told beside it",
    }


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
        delta("general_skill", "accuracy", value, name=name, rows=200)
        for name, value in losses.items()
    ]
    rest = [d for d in found.deltas if d.set != "general_skill"]
    whole = delta("general_skill", "accuracy", GOOD["skills"], rows=200 * len(each))
    return judge(evidence(found.model_copy(update={"deltas": [*rest, whole, *each]})), CONFIG)


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
    found = judge(evidence(noisy), CONFIG)
    assert outcomes(found)["task_gain"] == "INSUFFICIENT EVIDENCE"
    quiet = judge(evidence(comparison(GOOD, noise_floor=0.4)), CONFIG)
    assert outcomes(quiet)["task_gain"] == "PASS"


@pytest.mark.parametrize("set_", ["general_text", "general_skill"])
def test_measuring_that_is_noisier_than_the_margin_shows_no_retention(set_: str) -> None:
    found = comparison(GOOD)
    deltas = [
        d.model_copy(update={"noise_floor": 0.2}) if (d.set, d.name) == (set_, "all") else d
        for d in found.deltas
    ]
    noisy = found.model_copy(update={"deltas": deltas})
    assert judge(evidence(noisy), CONFIG).outcome == "INSUFFICIENT EVIDENCE"


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
        return RANK[judge(evidence(noisy), CONFIG).outcome]

    assert rank(noise + more) < 2 or rank(noise) == 2
