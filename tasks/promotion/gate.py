"""The verdict on a tuned model: several legs, each with its reason; the worst one counts.

Every leg that rests on an interval asks the same question of it: has the quantity been
shown to stay within its margin (PASS), has it been shown to exceed it (FAIL), or does the
interval reach across (INSUFFICIENT EVIDENCE)? That is the confidence-interval form of
non-inferiority testing (Schuirmann 1987; Piaggio et al. 2012, CONSORT extension, figure 1):
with 95 % intervals, PASS and FAIL are each wrong at most 2.5 times in 100.

It follows that a worse estimate never gives a better outcome, and that a wider interval
never leads to PASS. It can turn FAIL into INSUFFICIENT EVIDENCE, since a FAIL has to be
shown, too; neither of the two is ever promoted.
"""

from collections.abc import Mapping
from typing import Any

from data_contracts.results import (
    Comparison,
    Delta,
    Interval,
    LeakageCertificate,
    Leg,
    Outcome,
    Verdict,
)
from tasks.promotion.config import GateConfig

PASS: Outcome = "PASS"  # noqa: S105 - an outcome, no password
FAIL: Outcome = "FAIL"
INSUFFICIENT: Outcome = "INSUFFICIENT EVIDENCE"

_FROM_WORST: tuple[Outcome, ...] = (FAIL, INSUFFICIENT, PASS)


def judge(
    comparison: Comparison,
    certificate: LeakageCertificate,
    contracts: Mapping[str, Mapping[str, Any]],
    config: GateConfig,
) -> Verdict:
    """Judge a tuned model by everything that was found out about it.

    Args:
        comparison: Base against tuned.
        certificate: Audit of the dataset it was trained on.
        contracts: Stage to the validation of its dataset, as in `Manifest.validation`.
        config: Margins and smallest samples.
    """
    legs = [
        _task_gain(comparison, config),
        _retention_text(comparison, config),
        _retention_skills(comparison, config),
        _overfitting(comparison, config),
        _leakage(certificate),
        _contracts(contracts),
        _sample_size(comparison, config),
    ]
    return Verdict(outcome=worst([leg.outcome for leg in legs]), legs=legs)


def worst(outcomes: list[Outcome]) -> Outcome:
    """Return the worst outcome; without any, nothing has been shown."""
    return min(outcomes, key=_FROM_WORST.index, default=INSUFFICIENT)


def _within(loss: Interval, margin: float) -> Outcome:
    """Say whether a loss, of which more is worse, has been shown to stay within its margin."""
    if loss.high <= margin:
        return PASS
    return FAIL if loss.low > margin else INSUFFICIENT


def _negated(interval: Interval) -> Interval:
    return Interval(estimate=-interval.estimate, low=-interval.high, high=-interval.low)


def _shown(interval: Interval) -> str:
    return f"{interval.estimate:+.3f} (95 % interval {interval.low:+.3f} to {interval.high:+.3f})"


def _missing(name: str, what: str) -> Leg:
    reason = f"{what} was not measured, or on fewer than two independent groups of rows."
    return Leg(name=name, outcome=INSUFFICIENT, reason=reason)


def _figures(delta: Delta, margin: float) -> dict[str, float]:
    return {
        "base": delta.base,
        "tuned": delta.tuned,
        "delta": delta.delta.estimate,
        "delta_low": delta.delta.low,
        "delta_high": delta.delta.high,
        "margin": margin,
        "rows": delta.rows,
        "groups": delta.clusters,
    }


def _task_gain(comparison: Comparison, config: GateConfig) -> Leg:
    name, needed = "task_gain", config.min_task_gain
    delta = comparison.find("test", "cross_entropy")
    if delta is None:
        return _missing(name, "Cross-entropy on the test set")
    outcome = INSUFFICIENT
    if delta.delta.high < -needed:
        outcome = PASS
    elif delta.delta.low >= -needed:
        outcome = FAIL
    sentences = {
        PASS: f"The test answers became likelier by more than {needed:g} nats per token",
        INSUFFICIENT: f"Whether the test answers gained more than {needed:g} nats is not certain",
        FAIL: f"The test answers did not gain more than {needed:g} nats per token",
    }
    reason = f"{sentences[outcome]}: cross-entropy {_shown(delta.delta)}."
    return Leg(name=name, outcome=outcome, reason=reason, figures=_figures(delta, needed))


def _retention_text(comparison: Comparison, config: GateConfig) -> Leg:
    name, margin = "retention_text", config.max_text_loss
    delta = comparison.find("general_text", "cross_entropy")
    if delta is None:
        return _missing(name, "Cross-entropy on general text")
    outcome = _within(delta.delta, margin)
    sentences = {
        PASS: f"General text lost no more than {margin:g} nats per token",
        INSUFFICIENT: f"Whether general text lost more than {margin:g} nats is not certain",
        FAIL: f"General text lost more than {margin:g} nats per token",
    }
    reason = f"{sentences[outcome]}: cross-entropy {_shown(delta.delta)}."
    return Leg(name=name, outcome=outcome, reason=reason, figures=_figures(delta, margin))


def _retention_skills(comparison: Comparison, config: GateConfig) -> Leg:
    name, margin = "retention_skills", config.max_skill_loss
    delta = comparison.find("general_skill", "accuracy")
    if delta is None:
        return _missing(name, "Accuracy on general skills")
    skills = [d for d in comparison.deltas if d.measure == "accuracy" and d.name != "all"]
    lost = [
        skill.name
        for skill in skills
        if _within(_negated(skill.delta), config.max_single_skill_loss) == FAIL
    ]
    figures = _figures(delta, margin)
    figures |= {f"skill.{skill.name}": skill.delta.estimate for skill in skills}
    if lost:
        each = f"{config.max_single_skill_loss:.0%}"
        reason = f"Shown to have lost more than {each} of accuracy: {', '.join(sorted(lost))}."
        return Leg(name=name, outcome=FAIL, reason=reason, figures=figures)
    outcome = _within(_negated(delta.delta), margin)
    sentences = {
        PASS: f"General skills lost no more than {margin:.1%} of accuracy",
        INSUFFICIENT: f"Whether general skills lost more than {margin:.1%} is not certain",
        FAIL: f"General skills lost more than {margin:.1%} of accuracy",
    }
    reason = f"{sentences[outcome]}: accuracy {_shown(delta.delta)} over {delta.rows} items."
    return Leg(name=name, outcome=outcome, reason=reason, figures=figures)


def _overfitting(comparison: Comparison, config: GateConfig) -> Leg:
    name, margin = "overfitting", config.max_excess_gap
    gap = next((gap for gap in comparison.gaps if gap.set == "test"), None)
    if gap is None:
        return _missing(name, "The gap between test and training rows")
    outcome = _within(gap.excess, margin)
    sentences = {
        PASS: f"Training rows gained no more than {margin:g} nats per token beyond test rows",
        INSUFFICIENT: f"Whether the gap to training rows opened by over {margin:g} is not certain",
        FAIL: f"Training rows gained over {margin:g} nats per token more than test rows",
    }
    figures = {
        "gap_base": gap.base,
        "gap_tuned": gap.tuned,
        "excess": gap.excess.estimate,
        "excess_low": gap.excess.low,
        "excess_high": gap.excess.high,
        "margin": margin,
    }
    reason = f"{sentences[outcome]}: {_shown(gap.excess)}."
    return Leg(name=name, outcome=outcome, reason=reason, figures=figures)


def _leakage(certificate: LeakageCertificate) -> Leg:
    hits = sum(finding.hits for finding in certificate.findings)
    figures = {"shared_groups": float(certificate.shared_groups), "hits": float(hits)}
    if certificate.passed and not hits and not certificate.shared_groups:
        reason = "The audit found no held-out row that training rows give away."
        return Leg(name="leakage", outcome=PASS, reason=reason, figures=figures)
    reason = (
        f"The audit found {hits} held-out rows given away and {certificate.shared_groups} groups "
        "on both sides of the split: the test set measures memory."
    )
    return Leg(name="leakage", outcome=FAIL, reason=reason, figures=figures)


def _contracts(contracts: Mapping[str, Mapping[str, Any]]) -> Leg:
    broken = sorted(
        stage for stage, report in contracts.items() if report.get("success") is not True
    )
    figures = {"checked": float(len(contracts)), "broken": float(len(broken))}
    if broken:
        reason = f"Datasets that break their contract: {', '.join(broken)}."
        return Leg(name="contracts", outcome=FAIL, reason=reason, figures=figures)
    if not contracts:
        reason = "No dataset's contract was checked."
        return Leg(name="contracts", outcome=INSUFFICIENT, reason=reason, figures=figures)
    reason = f"All {len(contracts)} datasets keep their contracts."
    return Leg(name="contracts", outcome=PASS, reason=reason, figures=figures)


def _sample_size(comparison: Comparison, config: GateConfig) -> Leg:
    """Too small a sample is never held against the model, and never for it."""
    test = comparison.find("test", "cross_entropy")
    skills = comparison.find("general_skill", "accuracy")
    texts = comparison.find("general_text", "cross_entropy")
    needed = {
        "test_rows": (test.rows if test else 0, config.min_test_rows),
        "test_groups": (test.clusters if test else 0, config.min_test_groups),
        "skill_items": (skills.rows if skills else 0, config.min_skill_items),
        "texts": (texts.rows if texts else 0, config.min_texts),
    }
    figures = {name: float(got) for name, (got, _) in needed.items()}
    figures |= {f"min_{name}": float(least) for name, (_, least) in needed.items()}
    short = [
        f"{got} {name.replace('_', ' ')} of at least {least}"
        for name, (got, least) in needed.items()
        if got < least
    ]
    if short:
        reason = f"Too few for a verdict: {', '.join(short)}."
        return Leg(name="sample_size", outcome=INSUFFICIENT, reason=reason, figures=figures)
    reason = "There are enough test rows, groups of them, skill items and texts."
    return Leg(name="sample_size", outcome=PASS, reason=reason, figures=figures)
