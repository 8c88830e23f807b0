"""Is the answer right and complete by the passage?"""

from typing import Literal

from tasks.judging.asking import EvidenceJudge
from tasks.judging.base import JUDGES


@JUDGES.register
class CorrectnessJudge(EvidenceJudge):
    """Asks whether somebody who knows the passage would mark the answer as right."""

    judge: Literal["correctness"] = "correctness"
