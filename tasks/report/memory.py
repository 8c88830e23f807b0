"""The report's tables of memorisation and of robustness."""

from collections.abc import Iterator, Mapping

from data_contracts.results import FigureChange, FormChange, Memorisation, Robustness
from tasks.report import charts, formats
from tasks.report.change_table import ChangeRow, ChangeTable

_NAMES = {
    "copied": "Rows gone on with word by word",
    "ngrams": "Runs of words that stand in training text",
    "loss": "Membership told by the loss",
    "hardest_tokens": "Membership told by the least likely tokens",
}
_FORMS = {"reordered": "Question before passage"}


def memory_tables(found: Memorisation | None) -> list[ChangeTable]:
    """Return what training added to what the model gives away: shares, then words."""
    if found is None:
        return []
    shares = {"copied": found.copied, "ngrams": found.ngrams, **found.membership}
    words = {"longest run of words that stands in training text": found.common_words}
    return [
        *_table("What is given away of training rows, in percent", "copied", shares),
        *_table("Length of what is copied, in words", "common_words", words),
    ]


def form_table(found: Robustness | None) -> list[ChangeTable]:
    """Return what asking otherwise costs, one table a measure."""
    forms = found.forms if found else []
    tables = []
    for measure in dict.fromkeys(form.measure for form in forms):
        chosen = [form for form in forms if form.measure == measure]
        better = "lower" if measure == "cross_entropy" else "higher"
        scale = 100.0 if formats.is_share(measure) else 1.0
        axis = charts.change_axis((form.excess for form in chosen), scale)
        caption = f"Asked otherwise than in the test set: {formats.measure_name(measure)}"
        rows = [_form_row(form, axis, scale) for form in chosen]
        tables.append(ChangeTable(caption, better, axis, rows))
    return tables


def _table(
    caption: str, measure: str, changes: Mapping[str, FigureChange | None]
) -> Iterator[ChangeTable]:
    measured = {name: change for name, change in changes.items() if change is not None}
    if not measured:
        return
    scale = 100.0 if formats.is_share(measure) else 1.0
    axis = charts.change_axis((change.delta for change in measured.values()), scale)
    rows = [
        ChangeRow(
            name=_NAMES.get(name, formats.title_case(name)),
            measure=measure,
            rows=None,
            clusters=None,
            base=change.base,
            tuned=change.tuned,
            interval=change.delta,
            # every training leaves traces; how many are too many is for the verdict to say
            tone="plain" if change.delta.excludes_zero else "unclear",
            whisker=charts.whisker(change.delta, axis, scale),
        )
        for name, change in measured.items()
    ]
    yield ChangeTable(caption, "lower", axis, rows)


def _form_row(form: FormChange, axis: charts.Axis, scale: float) -> ChangeRow:
    return ChangeRow(
        name=_FORMS.get(form.form, formats.title_case(form.form)),
        measure=form.measure,
        rows=form.rows,
        clusters=form.rows,
        base=form.base.estimate,
        tuned=form.tuned.estimate,
        interval=form.excess,
        tone="plain" if form.excess.excludes_zero else "unclear",
        whisker=charts.whisker(form.excess, axis, scale),
    )
