"""Renders the run report: one HTML file without scripts and without outside resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data_contracts.dataset import Manifest
from data_contracts.results import Delta, Gap, TrainingPoint
from tasks.report import charts, formats, memory, wording
from tasks.report.change_table import ChangeRow, ChangeTable, change_table, delta_name
from tasks.report.content import DroppedRow, ReportContent
from tasks.report.examinations import EXAMINED, GROUPED, examination_tables, group_tables
from tasks.report.front_chart import front_chart, own_point, told

_SETS = {
    "test": "Test (never trained on)",
    "test_apart": "Test, no near training row",
    "test_behaviour": "Test, behaviour",
    "test_recall": "Test, recall of trained facts",
    "test_control": "Test, control on unseen documents",
    "validation": "Validation (chose the checkpoint)",
    "train": "Training rows (fit, not evidence)",
    "general_text": "General text",
    "general_skill": "General skills",
}
_TEST_PARTS = ("test_apart", "test_behaviour", "test_recall", "test_control")
_TASK_SETS = ("test", *_TEST_PARTS, "validation", "train")
_UNITS = {
    "ingestion": "files",
    "chunking": "chunks",
    "generation": "candidate rows",
    "import": "records",
}
_SECTIONS = {
    "verdict": "Verdict",
    "summary": "Summary",
    "front": "The front",
    "comparison": "Base against tuned",
    "forgetting": "Forgetting",
    "examinations": "Examinations",
    "overfitting": "Overfitting",
    "memorisation": "Memorisation",
    "training": "Training",
    "data": "Data",
    "split": "Split and audit",
    "examples": "Examples",
    "rows": "Dataset rows",
    "cost": "Cost",
    "reproduce": "Reproduce",
    "limits": "Limits",
    "decision": "Decision",
}
# More rows of the loss table than this help nobody; the curves show every logged point.
_LOSS_ROWS = 40


@dataclass(frozen=True)
class FunnelStage:
    """One stage of the data funnel."""

    manifest: Manifest
    unit: str
    kept_percent: float
    dropped_percent: float
    adds_up: bool
    dropped: list[DroppedRow]


def render_report(content: ReportContent) -> str:
    """Return the report as one HTML document.

    The same content always gives the same bytes.

    Args:
        content: What the report shows. Its text may hold anything: it is escaped.
    """
    template = environment().get_template("report.html.j2")
    examined, front = examination_tables(content.comparison), content.front
    own = own_point(front, content.comparison, content.tuned_fingerprint) if front else None
    chart = front_chart(front, own) if front else None
    absent = {"examinations": not examined, "front": chart is None}
    return template.render(
        c=content,
        sections=[(id_, title) for id_, title in _SECTIONS.items() if not absent.get(id_)],
        headline=wording.HEADLINES[content.verdict.outcome],
        meaning=wording.meaning(content),
        summary=wording.summary(content),
        limits=wording.limits(content),
        task_tables=_task_tables(content.comparison.deltas),
        kind_tables=_kind_tables(content.comparison.deltas),
        group_tables=group_tables(content.comparison.deltas),
        general_tables=_general_tables(content.comparison.deltas),
        examinations=examined,
        front=front,
        front_chart=chart,
        own_said=wording.place_on_front(front, own) if front else "",
        told=told,
        sharpness=_sharpness_table(content.comparison.figures),
        gap_table=_gap_table(content.comparison.gaps),
        opened=wording.gap_opening(content.training),
        last=wording.last_checkpoint(content.training, content.comparison.checkpoints),
        memory_tables=memory.memory_tables(content.memorisation),
        form_table=memory.form_table(content.robustness),
        chart=charts.loss_chart(content.training.history, content.training.best_step),
        loss_rows=_loss_rows(content.training.history, content.training.best_step),
        funnel=[funnel_stage(m, content.dropped) for m in content.manifests],
    )


@cache
def environment() -> Environment:
    """Return the templates of report and data card; all text in them is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=formats.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_filters())
    return environment


def _filters() -> dict[str, Any]:
    names = (
        "change clip date duration figure interval is_share level measure_name memory number "
        "percent plain_name signed title_case"
    )
    return {name: getattr(formats, name) for name in names.split()}


def _task_tables(deltas: Sequence[Delta]) -> list[ChangeTable]:
    """Whole task sets: a table for each of losses, shares, lengths and repetition."""
    whole = [d for set_ in _TASK_SETS for d in deltas if d.set == set_ and d.name == "all"]
    losses = [d for d in whole if d.measure == "cross_entropy"]
    lengths = [d for d in whole if d.measure == "length_off"]
    repeated = [d for d in whole if d.measure == "repeated_runs"]
    measures = dict.fromkeys(d.measure for d in whole if formats.is_share(d.measure))
    shares = [d for m in measures if m != "repeated_runs" for d in whole if d.measure == m]
    return [
        *change_table("Cross-entropy of the reference answer, nats per token", losses, _set_name),
        *change_table("Answers the models wrote, in percent", shares, _measure_and_set),
        *change_table(
            "Answers longer or shorter than the reference, doublings", lengths, _set_name
        ),
        *change_table("Answers that repeat themselves, in percent", repeated, _set_name),
    ]


def _kind_tables(deltas: Sequence[Delta]) -> list[ChangeTable]:
    """Test rows by kind of question: one table for each measure."""
    kinds = [d for d in deltas if d.set == "test" and d.name != "all"]
    tables: list[ChangeTable] = []
    for measure in dict.fromkeys(d.measure for d in kinds):
        chosen = [d for d in kinds if d.measure == measure]
        caption = f"{formats.measure_name(measure)} by kind of question, test rows"
        tables.extend(change_table(caption, chosen, delta_name))
    return tables


def _general_tables(deltas: Sequence[Delta]) -> list[ChangeTable]:
    """Forgetting: general text, then general skills with the greatest loss first."""
    tables: list[ChangeTable] = []
    for set_, measure, caption in (
        ("general_text", "cross_entropy", "General text: cross-entropy, nats per token"),
        ("general_skill", "accuracy", "General skills: accuracy, in percent"),
    ):
        chosen = [d for d in deltas if (d.set, d.measure) == (set_, measure)]
        chosen.sort(key=lambda d: (d.name != "all", _gain(d)))
        tables.extend(change_table(caption, chosen, delta_name))
    shown = {("general_text", "cross_entropy"), ("general_skill", "accuracy")}
    for set_, measure in dict.fromkeys((d.set, d.measure) for d in deltas):
        elsewhere = set_ in _TASK_SETS or set_ in EXAMINED or set_.startswith(GROUPED)
        if not elsewhere and (set_, measure) not in shown:
            chosen = [d for d in deltas if (d.set, d.measure) == (set_, measure)]
            caption = (
                f"{_SETS.get(set_, formats.plain_name(set_))}: {formats.measure_name(measure)}"
            )
            tables.extend(change_table(caption, chosen, delta_name))
    return tables


def _sharpness_table(figures: Mapping[str, float]) -> dict[str, str]:
    """Sharpness of each model that it was measured of, base first."""
    return {
        f"{formats.title_case(model)} model": formats.signed(figures[f"sharpness.{model}"], 3)
        for model in ("base", "tuned")
        if f"sharpness.{model}" in figures
    }


def _gap_table(gaps: Sequence[Gap]) -> list[ChangeTable]:
    axis = charts.change_axis(gap.excess for gap in gaps)
    rows = [
        ChangeRow(
            name=f"{formats.title_case(gap.set)} minus training rows",
            measure="cross_entropy",
            rows=None,
            clusters=None,
            base=gap.base,
            tuned=gap.tuned,
            interval=gap.excess,
            # every training opens a gap; whether it is too wide is for the verdict to say
            tone="plain" if gap.excess.excludes_zero else "unclear",
            whisker=charts.whisker(gap.excess, axis),
        )
        for gap in gaps
    ]
    caption = "Gap in cross-entropy, nats per token"
    return [ChangeTable(caption, "lower", axis, rows)] if rows else []


def _set_name(delta: Delta) -> str:
    name = _SETS[delta.set]
    if delta.measure == "cross_entropy":
        return name
    return f"{formats.measure_name(delta.measure)}, {name[0].lower()}{name[1:]}"


def _measure_and_set(delta: Delta) -> str:
    return f"{formats.measure_name(delta.measure)}, {formats.plain_name(delta.set)}"


def _gain(delta: Delta) -> float:
    return delta.delta.estimate if delta.better == "higher" else -delta.delta.estimate


def _loss_rows(history: Sequence[TrainingPoint], best_step: int) -> list[TrainingPoint]:
    """The validation points (all logged points if there are none), thinned for reading."""
    validated = [p for p in history if p.validation_loss is not None]
    shown = charts.thin(validated or list(history), _LOSS_ROWS)
    best = [p for p in validated if p.step == best_step and p not in shown]
    return sorted([*shown, *best], key=lambda p: p.step)


def funnel_stage(manifest: Manifest, dropped: dict[str, list[DroppedRow]]) -> FunnelStage:
    """Return what the funnel shows of one stage."""
    total = manifest.rows_in
    counted = sum(manifest.drop_reasons.values())
    return FunnelStage(
        manifest=manifest,
        unit=_UNITS.get(manifest.stage, "rows"),
        kept_percent=round(100 * manifest.rows_kept / total, 2) if total else 0.0,
        dropped_percent=round(100 * manifest.rows_dropped / total, 2) if total else 0.0,
        adds_up=(
            total == manifest.rows_kept + manifest.rows_dropped and counted == manifest.rows_dropped
        ),
        dropped=dropped.get(manifest.stage, []),
    )
