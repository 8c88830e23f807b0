"""The legs about the model: has it learned, has it forgotten, does it know rows by heart."""

from collections.abc import Sequence

from data_contracts.results import (
    Comparison,
    Delta,
    ExportCheck,
    ExportParity,
    Gap,
    Leg,
    Memorisation,
    Outcome,
)
from tasks.promotion.config import GateConfig
from tasks.promotion.many_comparisons import ONE_SIDED, holm, loss_p_value
from tasks.promotion.outcomes import (
    FAIL,
    INSUFFICIENT,
    PASS,
    delta_figures,
    missing,
    negated,
    not_measured,
    share_interval,
    shown,
    within,
    worst,
)


def task_gain(comparison: Comparison, config: GateConfig) -> Leg:
    """Judge whether the test answers became likelier, by more than the noise of measuring."""
    name = "task_gain"
    delta = comparison.find("test", "cross_entropy")
    if delta is None:
        return missing(name, "Cross-entropy on the test set")
    needed = max(config.min_task_gain, delta.noise_floor or 0.0)
    told = f"{round(needed, 4):g}"  # the noise of measuring may be a millionth
    outcome = INSUFFICIENT
    if delta.delta.high < -needed:
        outcome = PASS
    elif delta.delta.low >= -needed:
        outcome = FAIL
    sentences = {
        PASS: f"The test answers became likelier by more than {told} nats per token",
        INSUFFICIENT: f"Whether the test answers gained more than {told} nats is not certain",
        FAIL: f"The test answers did not gain more than {told} nats per token",
    }
    reason = f"{sentences[outcome]}: cross-entropy {shown(delta.delta)}."
    return Leg(name=name, outcome=outcome, reason=reason, figures=delta_figures(delta, needed))


def retention_text(comparison: Comparison, config: GateConfig) -> Leg:
    """Judge whether general text is as likely as before, but for the margin."""
    name, margin = "retention_text", config.max_text_loss
    delta = comparison.find("general_text", "cross_entropy")
    if delta is None:
        return missing(name, "Cross-entropy on general text")
    outcome = within(delta.delta, margin, delta.noise_floor)
    sentences = {
        PASS: f"General text lost no more than {margin:g} nats per token",
        INSUFFICIENT: f"Whether general text lost more than {margin:g} nats is not certain",
        FAIL: f"General text lost more than {margin:g} nats per token",
    }
    reason = f"{sentences[outcome]}: cross-entropy {shown(delta.delta)}."
    return Leg(name=name, outcome=outcome, reason=reason, figures=delta_figures(delta, margin))


def retention_skills(comparison: Comparison, config: GateConfig) -> Leg:
    """Judge all general skills together, and each, corrected for how many there are.

    Every item must count for a skill of its own, or one that was destroyed could be left out.
    """
    name, margin = "retention_skills", config.max_skill_loss
    delta = comparison.find("general_skill", "accuracy")
    if delta is None:
        return missing(name, "Accuracy on general skills")
    skills = [d for d in comparison.deltas if d.measure == "accuracy" and d.name != "all"]
    p_values = _p_values(skills, config.max_single_skill_loss)
    figures = delta_figures(delta, margin)
    figures |= {f"skill.{skill.name}": skill.delta.estimate for skill in skills}
    figures |= {f"corrected_p.{skill}": p_value for skill, p_value in p_values.items()}
    lost = sorted(skill for skill, p_value in p_values.items() if p_value < ONE_SIDED)
    if lost:
        each = f"{config.max_single_skill_loss:.0%}"
        reason = (
            f"Shown to have lost more than {each} of accuracy, of {len(skills)} skills looked at "
            f"(Holm's correction): {', '.join(lost)}."
        )
        return Leg(name=name, outcome=FAIL, reason=reason, figures=figures)
    apart = delta.rows - sum(skill.rows for skill in skills if skill.set == delta.set)
    if apart > 0:
        reason = (
            f"{apart} of {delta.rows} general items count for no skill of their own: it was not "
            "measured, or has fewer than two items."
        )
        return Leg(name=name, outcome=INSUFFICIENT, reason=reason, figures=figures)
    outcome = within(negated(delta.delta), margin, delta.noise_floor)
    sentences = {
        PASS: f"General skills lost no more than {margin:.1%} of accuracy",
        INSUFFICIENT: f"Whether general skills lost more than {margin:.1%} is not certain",
        FAIL: f"General skills lost more than {margin:.1%} of accuracy",
    }
    reason = f"{sentences[outcome]}: accuracy {shown(delta.delta)} over {delta.rows} items."
    return Leg(name=name, outcome=outcome, reason=reason, figures=figures)


def _p_values(skills: list[Delta], margin: float) -> dict[str, float]:
    return holm({skill.name: loss_p_value(skill, margin) for skill in skills})


def overfitting(comparison: Comparison, config: GateConfig) -> Leg:
    """Judge how much more training rows gained than test rows."""
    name, margin = "overfitting", config.max_excess_gap
    gap = _test_gap(comparison)
    if gap is None:
        return missing(name, "The gap between test and training rows")
    outcome = within(gap.excess, margin)
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
    reason = f"{sentences[outcome]}: {shown(gap.excess)}."
    return Leg(name=name, outcome=outcome, reason=reason, figures=figures)


def _test_gap(comparison: Comparison) -> Gap | None:
    return next((gap for gap in comparison.gaps if gap.set == "test"), None)


def labels(comparison: Comparison, config: GateConfig) -> Leg:
    """Judge whether training answers belong to their questions, by what the base thinks of them.

    Both kinds of rows were made in the same way, and the base was trained on neither: answers
    that fit are as likely to it in training as in test. Training on ones that do not fit can
    still make test answers likelier, by their form alone, so that no other leg notices.
    """
    name, margin = "labels", config.max_label_gap
    gap = _test_gap(comparison)
    if gap is None or gap.base_interval is None:
        return missing(name, "How likely training answers are to the untuned base")
    surplus = negated(gap.base_interval)
    outcome = within(surplus, margin)
    sentences = {
        PASS: f"To the untuned base, training answers are no more than {margin:g} nats per token "
        "less likely than test answers",
        INSUFFICIENT: f"Whether training answers are over {margin:g} nats per token less likely "
        "to the untuned base than test answers is not certain",
        FAIL: f"To the untuned base, training answers are over {margin:g} nats per token less "
        "likely than test answers, as answers to other questions are",
    }
    figures = {
        "surplus": surplus.estimate,
        "surplus_low": surplus.low,
        "surplus_high": surplus.high,
        "margin": margin,
    }
    return Leg(
        name=name,
        outcome=outcome,
        reason=f"{sentences[outcome]}: {shown(surplus)}.",
        figures=figures,
    )


def memorisation(found: Memorisation | None, config: GateConfig) -> Leg:
    """Judge verbatim copying of training rows, and the most exposed canary where any is."""
    name = "memorisation"
    if found is None:
        return not_measured(name, "Verbatim copying of training text")
    outcomes = [within(found.copying, config.max_copying)]
    figures = {
        "prompts": float(found.prompts),
        "copying": found.copying.estimate,
        "copying_low": found.copying.low,
        "copying_high": found.copying.high,
        "max_copying": config.max_copying,
    }
    figures |= {f"membership.{by}": c.delta.estimate for by, c in found.membership.items()}
    reason = f"Verbatim continuation of training rows, beyond the base: {shown(found.copying)}"
    if found.canaries:
        outcomes.append(PASS if found.exposure <= config.max_exposure else FAIL)
        figures |= {"canaries": float(found.canaries), "exposure": found.exposure}
        figures["max_exposure"] = config.max_exposure
        reason += f"; the most exposed of {found.canaries} canaries: {found.exposure:.1f} bits"
    return Leg(name=name, outcome=worst(outcomes), reason=f"{reason}.", figures=figures)


def stopping(comparison: Comparison, config: GateConfig) -> Leg:
    """Judge whether the tuned model ends its answers: it is measured, not compared.

    Most base models end none, so that being no worse than the base would say nothing.
    """
    name, least = "stopping", config.min_stop_rate
    delta = comparison.find("test", "stop_rate")
    if delta is None:
        return not_measured(name, "Whether answers end by themselves")
    found = share_interval(delta.tuned, delta.rows)
    outcome = INSUFFICIENT
    if found.low >= least:
        outcome = PASS
    elif found.high < least:
        outcome = FAIL
    figures = {"tuned": found.estimate, "low": found.low, "high": found.high, "least": least}
    figures |= {"base": delta.base, "rows": float(delta.rows)}
    sentences = {
        PASS: f"The tuned model ends at least {least:.0%} of its answers by itself",
        INSUFFICIENT: f"Whether the tuned model ends {least:.0%} of its answers is not certain",
        FAIL: f"The tuned model ends fewer than {least:.0%} of its answers by itself",
    }
    reason = (
        f"{sentences[outcome]}: {found.estimate:.0%} of {delta.rows} (95 % interval "
        f"{found.low:.0%} to {found.high:.0%})."
    )
    return Leg(name=name, outcome=outcome, reason=reason, figures=figures)


def export_parity(found: Sequence[ExportParity], config: GateConfig) -> Leg:
    """Judge whether what is deployed is what was judged, in every form."""
    name = "export_parity"
    if not found:
        return not_measured(name, "The exported model")
    figures = {"min_equal_answers": config.min_equal_answers}
    for each in found:
        figures |= {
            f"prompts.{each.form}": float(each.prompts),
            f"highest_difference.{each.form}": each.highest_difference,
            f"max_difference.{each.form}": _allowed(each, config),
            f"equal_answers.{each.form}": each.equal_answers,
        }
    reason = "; ".join(
        f"{each.form}: {each.equal_answers:.1%} of {each.prompts} answers are equal, "
        f"log-probabilities differ by up to {each.highest_difference:.3f} nats"
        for each in found
    )
    outcome = worst([_export_outcome(each, config) for each in found])
    return Leg(name=name, outcome=outcome, reason=f"Exported as {reason}.", figures=figures)


def _allowed(found: ExportParity, config: GateConfig) -> float:
    limit = config.max_export_difference
    return found.tolerance if limit is None else limit


def _export_outcome(found: ExportParity, config: GateConfig) -> Outcome:
    kept = found.highest_difference <= _allowed(found, config)
    kept = kept and found.equal_answers >= config.min_equal_answers
    if isinstance(found, ExportCheck):
        kept = kept and found.same_prompts == found.prompts
    return worst([PASS if kept else FAIL, PASS if found.prompts else INSUFFICIENT])
