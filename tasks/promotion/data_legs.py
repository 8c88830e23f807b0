"""The legs about what the model was trained and measured on."""

from collections.abc import Mapping
from typing import Any

from data_contracts.results import Comparison, LeakageCertificate, Leg, Lineage
from tasks.promotion.config import GateConfig
from tasks.promotion.outcomes import FAIL, INSUFFICIENT, PASS, not_measured


def leakage(certificate: LeakageCertificate) -> Leg:
    """Judge the audit: a single leak is one too many, and no detector at all finds none."""
    hits = sum(finding.hits for finding in certificate.findings)
    figures = {"shared_groups": float(certificate.shared_groups), "hits": float(hits)}
    if certificate.passed and not hits and not certificate.shared_groups:
        if not certificate.findings:
            return not_measured("leakage", "What training rows give away of held-out ones")
        reason = "The audit found no held-out row that training rows give away."
        return Leg(name="leakage", outcome=PASS, reason=reason, figures=figures)
    reason = (
        f"The audit found {hits} held-out rows given away and {certificate.shared_groups} groups "
        "on both sides of the split: the test set measures memory."
    )
    return Leg(name="leakage", outcome=FAIL, reason=reason, figures=figures)


def contracts(contracts: Mapping[str, Mapping[str, Any]]) -> Leg:
    """Judge the datasets' contracts, as in `Manifest.validation`."""
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


def lineage(found: Lineage | None) -> Leg:
    """Judge whether what was judged is what was trained."""
    if found is None or not found.checks:
        return not_measured("lineage", "Whether the judged model is the trained one")
    untrue = [sentence for sentence, true in found.checks.items() if not true]
    figures = {"checks": float(len(found.checks)), "untrue": float(len(untrue))}
    if untrue:
        reason = f"It is not true that {'; nor that '.join(untrue)}."
        return Leg(name="lineage", outcome=FAIL, reason=reason, figures=figures)
    reason = "Weights, tokenizer, template, base and predictions are those of this training."
    return Leg(name="lineage", outcome=PASS, reason=reason, figures=figures)


def sample_size(comparison: Comparison, config: GateConfig) -> Leg:
    """Judge the sample: too small a one is never held against the model, and never for it."""
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
