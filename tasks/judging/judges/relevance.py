"""Does the answer answer the question that was asked?"""

from typing import Literal

from tasks.judging.asking import EvidenceJudge
from tasks.judging.base import JUDGES


@JUDGES.register
class RelevanceJudge(EvidenceJudge):
    """Asks whether the answer is to this question, whole and without padding."""

    judge: Literal["relevance"] = "relevance"
