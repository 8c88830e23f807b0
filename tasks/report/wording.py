"""Sentences that the report builds from figures: headline, summary, limits."""

import math
from collections.abc import Iterator

from data_contracts.front import Front, FrontPoint
from data_contracts.results import CheckpointChange, Delta, TrainingResult
from tasks.report import formats
from tasks.report.charts import delta_tone
from tasks.report.content import ReportContent

# Percentile bootstrap intervals are too narrow for few independent units (documents, items);
# 20 is a rule of thumb, not a threshold from theory.
FEW_CLUSTERS = 20

HEADLINES = {
    "PASS": "Pass",
    "FAIL": "Fail",
    "INSUFFICIENT EVIDENCE": "Insufficient evidence",
}
_MEANINGS = {
    "PASS": "Every check passed. The tuned model may replace the current champion.",
    "FAIL": "The tuned model must not be deployed.",
    "INSUFFICIENT EVIDENCE": (
        "Nothing was found against the tuned model, but the run does not show enough to "
        "deploy it. It stays a challenger."
    ),
}
_CHANGES = {"better": "an improvement", "worse": "a worsening", "unclear": "no clear difference"}


def meaning(content: ReportContent) -> str:
    """Say what the verdict means and on which legs it rests."""
    verdict = content.verdict
    sentence = _MEANINGS[verdict.outcome]
    if verdict.outcome == "PASS":
        return sentence
    decisive = [formats.plain_name(leg.name) for leg in verdict.legs if leg.outcome != "PASS"]
    word = "leg" if len(decisive) == 1 else "legs"
    return f"{sentence} Not passed: {len(decisive)} {word} ({', '.join(decisive) or 'none'})."


def summary(content: ReportContent) -> str:
    """Say in one paragraph what was made from what, and how base and tuned compare."""
    sentences = [_data_sentence(content), _split_sentence(content), _training_sentence(content)]
    task = content.comparison.find("test", "cross_entropy")
    if task is not None:
        sentences.append(_task_sentence(task))
    sentences.extend(_general_sentences(content))
    return " ".join(sentence for sentence in sentences if sentence)


def _data_sentence(content: ReportContent) -> str:
    documents, chunks = content.manifest("ingestion"), content.manifest("chunking")
    rows, curated = content.manifest("generation"), content.manifest("curation")
    parts = []
    if documents:
        read, found = formats.number(documents.rows_kept), formats.number(documents.rows_in)
        parts.append(f"of {found} files, {read} could be read")
    if chunks:
        parts.append(f"they were cut into {formats.number(chunks.rows_kept)} chunks")
    if rows:
        parts.append(f"{formats.number(rows.rows_kept)} grounded questions and answers were made")
    if curated:
        kept = formats.number(curated.rows_kept)
        parts.append(f"{kept} remained after duplicates and poor rows were taken out")
    return _sentence("; ".join(parts))


def _split_sentence(content: ReportContent) -> str:
    rows = content.certificate.rows
    if not rows:
        return ""
    names = {"train": "training", "test": "testing"}
    parts = [
        f"{formats.number(n)} for {names.get(split, formats.plain_name(split))}"
        for split, n in rows.items()
    ]
    audit = "no leak" if content.certificate.passed else "leaks"
    return f"The split gave {_listed(parts)}, and its audit found {audit}."


def _training_sentence(content: ReportContent) -> str:
    training = content.training
    return (
        f"{content.base_model} was tuned by {content.method} on "
        f"{formats.number(training.examples)} rows in {formats.duration(training.seconds)}."
    )


def _task_sentence(delta: Delta) -> str:
    return (
        f"On {formats.number(delta.rows)} test rows from sources that neither training nor "
        "the choice of the checkpoint saw, the cross-entropy of the reference answer is "
        f"{_levels(delta)}."
    )


def _general_sentences(content: ReportContent) -> list[str]:
    text = content.comparison.find("general_text", "cross_entropy")
    skill = content.comparison.find("general_skill", "accuracy")
    sentences = []
    if text is not None:
        sentences.append(f"On general text, cross-entropy is {_levels(text)}.")
    if skill is not None:
        sentences.append(f"On general skills, accuracy is {_levels(skill)}.")
    return sentences


def _levels(delta: Delta) -> str:
    measure = delta.measure
    unit = " points" if formats.is_share(measure) else ""
    if not all(map(math.isfinite, (delta.base, delta.tuned, delta.delta.estimate))):
        return "not a finite number for one of the models, so they cannot be compared"
    return (
        f"{formats.level(delta.base, measure)} for the base and "
        f"{formats.level(delta.tuned, measure)} for the tuned model: a change of "
        f"{formats.change(delta.delta.estimate, measure)}{unit} "
        f"(95 % interval {formats.interval(delta.delta, measure)}), {_CHANGES[delta_tone(delta)]}"
    )


def gap_opening(training: TrainingResult) -> str:
    """Say how validation and training loss drew apart."""
    gaps = list(_gaps(training))
    if len(gaps) < 2:
        return ""
    (start, first), (end, last) = gaps[0], gaps[-1]
    return (
        f"Over training, validation loss minus training loss went from "
        f"{formats.signed(first, 3)} at step {formats.number(start)} to {formats.signed(last, 3)} "
        f"at step {formats.number(end)}."
    )


def last_checkpoint(training: TrainingResult, change: CheckpointChange | None) -> str:
    """Say whether the last checkpoint is worse than the best, as far as noise lets one tell."""
    losses = [p.validation_loss for p in training.history if p.validation_loss is not None]
    if len(losses) < 2:
        return ""
    risen, step = losses[-1] - training.best_validation_loss, formats.number(training.best_step)
    if change is None and risen > 0:
        return (
            f"At the end validation loss was {formats.number(risen, 3)} above that of step {step}, "
            "which was kept. Whether that is more than noise was not measured."
        )
    if change is None or change.best_step == change.last_step:
        return "The last checkpoint is the best."
    said = {
        "none": "none that noise would not explain",
        "worse": "worse, so training went on for too long",
    }
    rows, groups = formats.number(change.rows), formats.number(change.clusters)
    return (
        f"Best checkpoint (step {step}, which was kept) against the last (step "
        f"{formats.number(change.last_step)}): {said[change.change]}. Validation loss changed by "
        f"{formats.signed(change.delta.estimate, 3)} nats per token "
        f"(95 % interval {formats.interval(change.delta, 'cross_entropy')}, {rows} rows in "
        f"{groups} groups), corrected for the choice among "
        f"{formats.number(change.checkpoints)} checkpoints on these same rows."
    )


def _gaps(training: TrainingResult) -> Iterator[tuple[int, float]]:
    """Yield, at each validation, its loss minus the mean training loss since the one before."""
    since: list[float] = []
    for point in training.history:
        if point.train_loss is not None:
            since.append(point.train_loss)
        if point.validation_loss is not None and since:
            yield point.step, point.validation_loss - sum(since) / len(since)
            since = []


def place_on_front(front: Front, own: FrontPoint | None) -> str:
    """Say where the run lies on the front."""
    if own is None:
        return "This run measured no validation answers or no general text: it has no place here."
    if own.number not in [point.number for point in front.measured]:
        return (
            "This run trained in none of these ways; its point is what it measured itself, on the "
            "validation rows and passages of its own profile."
        )
    kind = (
        "the recommended one"
        if own.number == front.recommended
        else "beaten by none"
        if own.number in front.pareto
        else "beaten by another on both"
    )
    return f"This run's model is point {formats.number(own.number)}, {own.name}: {kind}."


def limits(content: ReportContent) -> list[str]:
    """Say what the report does not show."""
    deltas = content.comparison.deltas
    general = [
        "The test questions were generated from the same collection, by the same means, as the "
        "training questions. Real users ask differently; how the model answers them is not shown.",
        "Reference answers were taken from the documents or written by a generator, and not "
        "checked by people. Where a document is wrong or out of date, so is the reference.",
        "Token F1 and exact match compare words. They neither reward a right answer in other "
        "words nor notice a fluent one that is false.",
        "This is one training run with one seed. The intervals cover the choice of test rows, "
        "not how much another seed would change the model.",
        "Forgetting is known only for the general text and skills listed. A skill that was not "
        "measured may have been lost unnoticed.",
        "The audit finds copies and near-copies. Two questions that ask the same in entirely "
        "different words can still lie on two sides of the split.",
        "Safety, bias, privacy and the licence of documents and base model were not examined.",
    ]
    return [*_many_intervals(deltas), *_few_clusters(deltas), *general]


def _many_intervals(deltas: list[Delta]) -> list[str]:
    if not deltas:
        return ["No comparison of base and tuned was measured, so no gain or loss is shown."]
    chance = max(1, round(0.05 * len(deltas)))
    return [
        f"Each of the {len(deltas)} intervals stands for itself. Were there no difference at "
        f"all, about {chance} of them would still exclude zero by chance."
    ]


def _few_clusters(deltas: list[Delta]) -> list[str]:
    few = [d for d in deltas if d.clusters < FEW_CLUSTERS]
    if not few:
        return []
    return [
        f"{len(few)} of {len(deltas)} comparisons rest on fewer than {FEW_CLUSTERS} independent "
        "documents or items; their intervals are likely too narrow."
    ]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
