"""What a dataset lacks for its objective, said with numbers."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.selection.config import BehaviourConfig, KnowledgeConfig, WarningThresholds
from tasks.selection.facts import wordings
from tasks.text.rows import strings

# How many of a question's first words make its opening: "What is the", "How many".
_OPENING = 2


def find_warnings(examples: pa.Table, config: BehaviourConfig | KnowledgeConfig) -> list[str]:
    """Return one sentence for each thing the dataset lacks, with its number and what to do.

    Args:
        examples: The rows that are kept, `knowledge` set where it was asked for.
        config: Objective and thresholds.
    """
    found = [_too_small(examples.num_rows, config.min_rows, config.objective)]
    found += _uniform(examples, config.warnings)
    found.append(_mixed(examples, config))
    if isinstance(config, KnowledgeConfig):
        found += [_few_wordings(examples, config), _unknown(examples, config)]
    return [warning for warning in found if warning]


def _too_small(rows: int, least: int, objective: str) -> str:
    if rows >= least:
        return ""
    return (
        f"Too small: {rows} rows for the objective {objective!r}, which wants at least {least} "
        "(selection.min_rows). Add documents or kinds of questions, or raise "
        "generation.max_rows_per_document."
    )


def _uniform(examples: pa.Table, limits: WarningThresholds) -> list[str]:
    if not examples.num_rows:
        return []
    found = [
        _top("kind", Counter(strings(examples, "kind")), limits.top_share),
        _top("opening", Counter(_openings(examples)), limits.top_share),
    ]
    lengths = np.array([len(answer.split()) for answer in strings(examples, "answer")])
    spread = float(lengths.std() / max(lengths.mean(), 1e-9))
    if examples.num_rows > 1 and spread < limits.length_spread:
        found.append(
            f"Uniform in length: answers have {lengths.mean():.1f} words with a spread of "
            f"{spread:.2f}, less than {limits.length_spread:.2f} (warnings.length_spread). The "
            "model will learn to write that many words: mix short and long answers."
        )
    return found


def _openings(examples: pa.Table) -> list[str]:
    questions = strings(examples, "question")
    return [" ".join(question.casefold().split()[:_OPENING]) for question in questions]


def _top(what: str, counts: Counter[str], limit: float) -> str:
    (name, count), total = counts.most_common(1)[0], counts.total()
    if count / total <= limit:
        return ""
    return (
        f"Uniform in form: {count} of {total} rows ({count / total:.0%}) have the {what} {name!r}, "
        f"more than {limit:.0%} (warnings.top_share). Add other kinds of questions."
    )


def _mixed(examples: pa.Table, config: BehaviourConfig | KnowledgeConfig) -> str:
    """Say when rows with and without a passage are mixed: they teach opposite habits."""
    rows = max(examples.num_rows, 1)
    given = rows - examples.column("context").null_count if examples.num_rows else 0
    share = given / rows
    limit = config.warnings.mixed_share
    if limit < share < 1 - limit:
        return (
            f"Mixed objectives: {given} of {rows} rows ({share:.0%}) answer from a given passage, "
            "the others from memory. The first teach to stay with the passage, the second to "
            "answer without one: build two datasets, or set generation.with_context."
        )
    if config.objective == "knowledge" and given > rows * limit:
        return (
            f"Wrong form: {given} of {rows} rows give the passage with the question, and for the "
            "objective 'knowledge' the answer must come from memory: set "
            "generation.with_context=false."
        )
    return ""


def _few_wordings(examples: pa.Table, config: KnowledgeConfig) -> str:
    counts = list(wordings(examples).values())
    few = sum(count < config.wordings_per_fact for count in counts)
    if not few:
        return ""
    mean = sum(counts) / len(counts)
    return (
        f"Too few wordings: {few} of {len(counts)} facts are asked for in fewer than "
        f"{config.wordings_per_fact} ways (selection.wordings_per_fact; {mean:.1f} on average). "
        "Add generators, or raise augmentation.share."
    )


def _unknown(examples: pa.Table, config: KnowledgeConfig) -> str:
    classes: Sequence[Any] = examples.column("knowledge").drop_null().to_pylist()
    unknown = sum(name == "Unknown" for name in classes)
    if not classes or unknown / len(classes) <= config.max_unknown:
        return ""
    return (
        f"Too unknown: the base model knows nothing of {unknown} of {len(classes)} rows asked "
        f"about ({unknown / len(classes):.0%}, more than {config.max_unknown:.0%}). New facts are "
        "learnt late and cost what was known (Gekhman et al. 2024): give the passage with the "
        "question, retrieve at run time, or stop training early."
    )
