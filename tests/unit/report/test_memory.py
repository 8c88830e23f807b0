from data_contracts.results import CanaryExposure, CheckpointChange, Interval, TrainingPoint
from tasks.report.memory import memory_tables
from tasks.report.render import render_report
from tasks.report.wording import gap_opening, last_checkpoint
from tests.unit.report.sample import HOSTILE, memorisation, realistic


def section(html: str, name: str) -> str:
    return html.split(f'<section id="{name}"')[1].split("</section>")[0]


def test_the_report_shows_what_is_given_away() -> None:
    shown = section(render_report(realistic()), "memorisation")
    assert "Rows gone on with word by word" in shown
    assert "12.5" in shown
    assert "6 words stand in training text" in shown
    assert "No canaries were planted" in shown


def test_canaries_are_shown_with_a_warning() -> None:
    planted = [CanaryExposure(canary="XKCD", base=1.0, tuned=23.4)]
    found = memorisation(canaries=1, exposure=23.4, planted=planted)
    content = realistic().model_copy(update={"memorisation": found})
    shown = section(render_report(content), "memorisation")
    assert "XKCD" in shown and "23.4" in shown
    assert "Do not deploy it" in shown


def test_what_was_not_measured_is_said() -> None:
    content = realistic().model_copy(update={"memorisation": None, "robustness": None})
    html = render_report(content)
    assert "Memorisation was not measured" in html
    assert "Asked otherwise" not in html
    assert memory_tables(None) == []


def test_what_models_wrote_is_escaped() -> None:
    found = memorisation()
    hostile = found.examples[0].model_copy(update={"tuned": HOSTILE, "prompt": HOSTILE})
    found = found.model_copy(update={"examples": [hostile]})
    html = render_report(realistic().model_copy(update={"memorisation": found}))
    assert "<script" not in html


def test_robustness_stands_with_overfitting() -> None:
    shown = section(render_report(realistic()), "overfitting")
    assert "Mistyped" in shown and "Question before passage" in shown


def test_how_the_gap_opened_is_said() -> None:
    training = realistic().training
    points = [
        TrainingPoint(step=1, epoch=0.1, train_loss=2.0),
        TrainingPoint(step=2, epoch=0.2, train_loss=1.0, validation_loss=1.6),
        TrainingPoint(step=3, epoch=0.3, train_loss=0.5, validation_loss=1.9),
    ]
    update = {"history": points, "best_step": 2, "best_validation_loss": 1.6}
    said = gap_opening(training.model_copy(update=update))
    assert "+0.100 at step 2 to +1.400 at step 3" in said
    assert "0.300 above that of step 2" in last_checkpoint(training.model_copy(update=update), None)
    assert gap_opening(training.model_copy(update={"history": points[:2]})) == ""


def checkpoints(low: float, **changes: int) -> CheckpointChange:
    options = {"checkpoints": 6, "best_step": 160, "last_step": 240, "rows": 31, "clusters": 12}
    delta = Interval(estimate=0.02, low=low, high=0.05)
    return CheckpointChange.model_validate(
        options | {"best": 1.6, "last": 1.62, "delta": delta} | changes
    )


def test_the_last_checkpoint_is_worse_only_where_noise_would_not_explain_it() -> None:
    training = realistic().training
    said = last_checkpoint(training, checkpoints(-0.01))
    assert "against the last (step 240): none" in said
    assert "+0.020 nats per token (95 % interval −0.010 to +0.050, 31 rows" in said
    assert "worse" in last_checkpoint(training, checkpoints(0.01))
    same = last_checkpoint(training, checkpoints(0.0, last_step=160))
    assert same == "The last checkpoint is the best."


def test_best_against_last_stands_with_overfitting() -> None:
    content = realistic()
    known = content.comparison.model_copy(update={"checkpoints": checkpoints(-0.01)})
    shown = section(render_report(content.model_copy(update={"comparison": known})), "overfitting")
    assert "none that noise would not explain" in shown
    assert "was not measured" in section(render_report(content), "overfitting")
