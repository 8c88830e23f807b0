"""A recommendation as a profile that runs."""

import yaml

from tasks.estimation.config import RunShape
from tasks.recommendation.recommend import Choice, Recommendation
from tasks.recommendation.situation import Situation


def runnable(found: Recommendation) -> Choice | None:
    """Return the best method by which this version of Temper trains."""
    return next(iter(runnable_first(found, 1)), None)


def runnable_first(found: Recommendation, most: int) -> list[Choice]:
    """Return the best methods by which this version of Temper trains."""
    return [choice for choice in found.choices if choice.cost.registered][:most]


def profile_text(
    choice: Choice, situation: Situation, shape: RunShape, base_model: str, documents: str
) -> str:
    """Return a profile in YAML, its reasons as comments.

    Args:
        choice: The method, one that is registered.
        situation: What was asked for.
        shape: Batch size and length for which memory was estimated.
        base_model: As a profile names it.
        documents: The documents to learn from.
    """
    values = {
        "name": f"recommended-{choice.method}",
        "documents": documents,
        "base_model": base_model,
        "selection": {"objective": situation.objective},
        "training": {
            "method": {"method": choice.method},
            "batch_size": shape.batch_size,
            "gradient_accumulation": shape.gradient_accumulation,
            "max_length": shape.sequence_length,
        },
    }
    reasons = [
        f"# {reason.criterion} ({reason.points:+.1f}): {reason.text} [{reason.source}]"
        for reason in choice.reasons
    ]
    memory = f"# About {choice.cost.memory / 1e9:.1f} GB of accelerator memory."
    return "\n".join([*reasons, memory, yaml.safe_dump(values, sort_keys=False)])
