"""Anchor texts of one's own are held against what is measured, before anything is trained."""

from tasks.evaluation.config import EvaluationConfig
from tasks.training.config import TrainingConfig


def require_apart_anchors(training: TrainingConfig, evaluation: EvaluationConfig) -> None:
    """Refuse a file of anchor texts that the evaluation measures retention on.

    What the base model writes itself is held against it when the tuned model is evaluated.

    Raises:
        TrainingError: An anchor text shares a passage with the general texts or skills.
    """
    file = training.anchors.file
    if file is None or not training.needs_anchors:
        return
    from tasks.evaluation.general import SHIPPED, read_general
    from tasks.modeling.anchor_texts import read_anchor_texts, require_apart

    measured = read_general(evaluation.general_folder or SHIPPED).measured
    require_apart(read_anchor_texts(file), measured, str(file))
