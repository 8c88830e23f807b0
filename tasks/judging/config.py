"""What a profile can say about judging."""

from typing import TYPE_CHECKING

from pydantic import Field

from data_contracts.base import Config
from tasks.judging.base import JUDGES, Judge
from tasks.judging.judges.answerable import AnswerableJudge
from tasks.judging.judges.instructions import InstructionsJudge
from tasks.judging.judges.self_contained import SelfContainedJudge
from tasks.judging.judges.well_formed import WellFormedJudge
from tasks.llm.config import LLMConfig

if TYPE_CHECKING:
    AnyJudge = Judge
else:
    AnyJudge = JUDGES.union()  # what pydantic validates: one of the registered judges


class JudgingConfig(Config):
    """Who judges the rows, and with what threshold."""

    judges: tuple[AnyJudge, ...] = Field(
        default_factory=lambda: (
            InstructionsJudge(),
            WellFormedJudge(),
            SelfContainedJudge(),
            AnswerableJudge(),
        ),
        description="The judges in their order. Those with a language model see only what the "
        "others pass. A row is dropped by the first judge that it fails.",
    )
    sample: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Share of the rows, chosen by hash, that judges with a language model are "
        "asked about. The others are kept unjudged by them.",
    )
    keep_without_verdict: bool = Field(
        True,
        description="Keep a row for which a language model gave no verdict that counts; such "
        "rows are counted in the figures.",
    )
    llm: LLMConfig = Field(
        default_factory=LLMConfig,
        description="The language model that judges. It should be another and a stronger one "
        "than the one that generates; check it with benchmarks/judges.py first.",
    )
