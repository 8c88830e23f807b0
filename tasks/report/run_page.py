"""What Prefect's page of a run shows of it: the funnel, the loss curves, the way to MLflow."""

import base64
from collections.abc import Sequence
from typing import Any

from data_contracts.dataset import Manifest
from data_contracts.front import ContinualResult, Front
from data_contracts.results import TrainingResult, Verdict
from data_contracts.search import SweepOutcome
from tasks.report.charts import LossChart, loss_chart
from tasks.report.formats import number
from tasks.report.front_chart import told

# The report's colours of training and validation (report.css), on white: the picture stands alone.
_TRAIN, _VALIDATION = "#8a8f98", "#2563a8"
_WIDTH, _HEIGHT, _LEFT, _TOP = 640, 300, 60, 40


def funnel(manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Return a row a stage: what came in, what stayed, and why the rest went."""
    return [
        {
            "stage": manifest.stage,
            "in": manifest.rows_in,
            "kept": manifest.rows_kept,
            "dropped": manifest.rows_dropped,
            "why": ", ".join(f"{why} {n}" for why, n in manifest.drop_reasons.items()),
        }
        for manifest in manifests
    ]


def verdict_text(verdict: Verdict) -> str:
    """Return the verdict with its legs as Markdown."""
    legs = "\n".join(f"| {leg.name} | {leg.outcome} | {leg.reason} |" for leg in verdict.legs)
    return f"## {verdict.outcome}\n\n| leg | outcome | why |\n| --- | --- | --- |\n{legs}\n"


def front_rows(front: Front) -> list[dict[str, Any]]:
    """Return a row a point of a front; intervals in words."""
    return [
        {
            "point": point.name,
            "recommended": "yes" if point.number == front.recommended else "",
            "learning": told(point.learning),
            "forgetting": told(point.forgetting),
            "skills lost": told(point.skill_loss),
            "why not measured": point.reason or "",
        }
        for point in front.points
    ]


def continual_rows(found: ContinualResult) -> list[dict[str, Any]]:
    """Return a row a way through document sets: what each set lost since it was learned."""
    return [
        {
            "way": arm.name,
            **{
                f"{name}, lost": told(lost)
                for name, lost in zip(found.sets[:-1], arm.lost, strict=True)
            },
            "general text, lost": told(arm.text_lost),
            "backward transfer": number(arm.transfer.backward, 3),
        }
        for arm in found.arms
    ]


def trial_rows(outcome: SweepOutcome) -> list[dict[str, Any]]:
    """Return a row a trial of a search, those of the front first."""
    ranked = sorted(outcome.trials, key=lambda trial: trial.number not in outcome.front)
    return [
        {
            "trial": trial.number,
            "front": "yes" if trial.number in outcome.front else "",
            "state": trial.state,
            **{name: number(value, 4) for name, value in trial.objectives.items()},
            "values": ", ".join(f"{path} {value}" for path, value in trial.values.items()),
            "why it failed": trial.reason or "",
        }
        for trial in ranked
    ]


def run_address(mlflow: str | None, experiment_id: str, run_id: str) -> str | None:
    """Return the address of a run in MLflow's pages.

    Args:
        mlflow: Address at which people open MLflow; None, or a database's, where nothing serves it.
        experiment_id: MLflow's number of the experiment.
        run_id: The run.
    """
    if mlflow is None or not mlflow.startswith(("http://", "https://")):
        return None
    return f"{mlflow.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"


def loss_picture(training: TrainingResult) -> str | None:
    """Return the loss curves as an image in a `data:` address, None if no loss was logged."""
    chart = loss_chart(training.history, training.best_step)
    if chart is None:
        return None
    drawn = base64.b64encode(_svg(chart).encode()).decode()
    return f"data:image/svg+xml;base64,{drawn}"


def _svg(chart: LossChart) -> str:
    width, height = _WIDTH - _LEFT - 20, _HEIGHT - _TOP - 40
    labels = [
        f'<text x="{_LEFT - 8}" y="{_TOP + t.at * height / 100 + 4:.1f}" text-anchor="end">'
        f"{t.label}</text>"
        for t in chart.losses
    ]
    labels += [
        f'<text x="{_LEFT + t.at * width / 100:.1f}" y="{_HEIGHT - 20}" text-anchor="middle">'
        f"{t.label}</text>"
        for t in chart.steps
    ]
    lines = _line(chart.train, _TRAIN) + _line(chart.validation, _VALIDATION)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{_LEFT}" y="20">Loss against step, nats a token: '
        f'<tspan fill="{_TRAIN}">training</tspan>, <tspan fill="{_VALIDATION}">validation</tspan>'
        f"</text>{''.join(labels)}"
        f'<svg x="{_LEFT}" y="{_TOP}" width="{width}" height="{height}" viewBox="0 0 100 100" '
        f'preserveAspectRatio="none">{lines}</svg></svg>'
    )


def _line(points: str, colour: str) -> str:
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" '
        'vector-effect="non-scaling-stroke"/>'
    )


def headline(training: TrainingResult) -> str:
    """Return one line about the training."""
    loss = number(training.best_validation_loss, 3)
    return (
        f"{training.method}: best validation loss {loss} at step {training.best_step} "
        f"of {training.steps}"
    )
