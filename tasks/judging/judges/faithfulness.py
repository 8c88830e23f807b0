"""Does the passage say everything that the answer says?"""

from typing import Literal

from tasks.judging.asking import EvidenceJudge
from tasks.judging.base import JUDGES


@JUDGES.register
class FaithfulnessJudge(EvidenceJudge):
    """Asks whether every claim of the answer stands in the passage."""

    judge: Literal["faithfulness"] = "faithfulness"
