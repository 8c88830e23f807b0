"""The report's tables of examinations, of the judge, and of groups of test rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from data_contracts.results import Comparison, Delta
from tasks.report import formats
from tasks.report.change_table import ChangeTable, change_table, delta_name

# What the sets of a comparison begin with that break the test rows down.
GROUPED = "test_by_"

# Name of an examination, or the judge: what it is called, and what it tells.
EXAMINED = {
    "judge": (
        "Judge",
        "A language model compared the written answers of both models in both orders. "
        "A preference that turned with the order counts as a tie.",
    ),
    "retrieval": (
        "Four arms",
        "Each model answers alone, and with passages that the retriever finds. The last line "
        "sets the tuned model alone against the base with retrieval: train, or retrieve?",
    ),
    "few_shot": (
        "Solved examples first",
        "Each model answers after none, one and several solved training rows. What examples "
        "alone give the base, tuning need not.",
    ),
    "recall": (
        "Recall by rewording",
        "Trained facts, asked as in training and in other words. A gain in the trained wording "
        "alone is a sentence learned by heart.",
    ),
    "invention": (
        "Invention",
        "Questions without an answer, questions with one, and facts of unseen documents. A "
        "phrase tells whether an answer says that it is none.",
    ),
    "calibration": (
        "Calibration",
        "Whether the model is as often right as it is sure. The error of a few dozen answers "
        "is above 0 for a perfect model too; compare the models.",
    ),
    "cross_lingual": (
        "Across languages",
        "Asked in a language in which training did not ask.",
    ),
    "instructions": (
        "Following instructions",
        "Whether answers keep instructions that a rule can check. What they say besides is not "
        "judged.",
    ),
    "refusal": (
        "Refusal",
        "Whether harmful requests are refused, and requests that only sound so are not. A "
        "phrase tells a refusal. A base model without instruction tuning refuses almost nothing.",
    ),
    "harness": ("lm-evaluation-harness", "Its own or your tasks, item by item."),
}

_FIGURES = {
    "judge.pairs": "Pairs judged",
    "judge.without_verdict": "Pairs without a verdict in both orders",
    "judge.ties": "Ties",
    "judge.first_preferred": "Preferences for the answer that stood first (0.5: no bias)",
    "judge.turned": "Share of verdicts that turned with the order",
    "judge.longer_preferred": "Share of decided pairs that the longer answer won",
    "retrieval.passage_found": "Share of questions whose own passage was found",
}


@dataclass(frozen=True)
class Examined:
    """What the report shows of one examination."""

    title: str
    meaning: str
    tables: list[ChangeTable]
    figures: dict[str, str]


def examination_tables(comparison: Comparison) -> list[Examined]:
    """Return a group of tables for each examination that found something."""
    found = []
    for set_, (title, meaning) in EXAMINED.items():
        deltas = [delta for delta in comparison.deltas if delta.set == set_]
        figures = {
            label: formats.figure(comparison.figures[name])
            for name, label in _FIGURES.items()
            if name.startswith(f"{set_}.") and name in comparison.figures
        }
        if deltas or figures:
            found.append(Examined(title, meaning, _tables(title, deltas), figures))
    return found


def group_tables(deltas: Sequence[Delta]) -> list[ChangeTable]:
    """Return the test rows by language, source and knowledge class: one table a measure."""
    tables: list[ChangeTable] = []
    for set_ in dict.fromkeys(d.set for d in deltas if d.set.startswith(GROUPED)):
        title = f"Test rows by {formats.plain_name(set_.removeprefix(GROUPED))}"
        tables.extend(_tables(title, [delta for delta in deltas if delta.set == set_]))
    return tables


def _tables(title: str, deltas: Sequence[Delta]) -> list[ChangeTable]:
    tables: list[ChangeTable] = []
    for measure in dict.fromkeys(delta.measure for delta in deltas):
        chosen = [delta for delta in deltas if delta.measure == measure]
        caption = f"{title}: {formats.measure_name(measure)}"
        tables.extend(change_table(caption, chosen, delta_name))
    return tables
