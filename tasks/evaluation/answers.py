"""What is measured on written answers, beside what the predictions hold already."""

import pandas as pd

from tasks.evaluation.form import keeps_form
from tasks.evaluation.metrics import doublings_off, repeated_share, rouge_l
from tasks.text.right import is_right


def with_answer_measures(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return predictions with the measures of each written answer that they do not hold.

    They follow from the answer and its reference, so that no model is needed, and none of them
    is stored.
    """
    rows = zip(predictions["generated"], predictions["reference"], predictions["name"], strict=True)
    measured = [_measures(*row) for row in rows]
    columns = ["rouge_l", "right", "form", "length", "repeated"]
    found = pd.DataFrame(measured, columns=columns, index=predictions.index)
    return predictions.join(found.astype(float))


def _measures(answer: str | None, reference: str | None, kind: str) -> tuple[float | None, ...]:
    if not isinstance(answer, str) or not isinstance(reference, str):
        return (None,) * 5
    form = keeps_form(answer, reference, kind)
    return (
        rouge_l(answer, reference),
        float(is_right(answer, reference)),
        None if form is None else float(form),
        doublings_off(answer, reference),
        repeated_share(answer),
    )
