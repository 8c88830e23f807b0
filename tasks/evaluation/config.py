"""Configuration of the evaluation."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from data_contracts.base import Config
from tasks.evaluation.examination import EXAMINATIONS, Examination
from tasks.llm.config import LLMConfig

if TYPE_CHECKING:
    AnyExamination = Examination
else:
    AnyExamination = EXAMINATIONS.union()  # what pydantic validates: one of the registered ones


class PairwiseConfig(Config):
    """A language model that says which of two answers is better."""

    llm: LLMConfig = Field(
        default_factory=LLMConfig,
        description="The language model that judges: another and a stronger one than the two "
        "that are judged.",
    )
    rows: int = Field(
        40, ge=2, description="Most written answers that are judged; each takes two requests."
    )


class ExaminationPlan(Config):
    """What the examinations of a model depend on."""

    examinations: tuple[AnyExamination, ...] = Field((), description="What is examined.")
    max_length: int = Field(1024, ge=16, description="Longest prompt, in tokens.")
    scored_tokens_per_forward: int = Field(256, ge=16, description="Most tokens scored at once.")


class SharpnessConfig(Config):
    """How the loss around the weights is looked at."""

    directions: int = Field(
        0, ge=0, description="Random directions that are tried; 0: sharpness is not measured."
    )
    radius: float = Field(
        0.05, gt=0, description="Length of a step, as a share of each filter's own norm."
    )
    rows: int = Field(16, ge=1, description="Training rows on which the loss is measured.")


class EvaluationConfig(Config):
    """What is measured, on how many rows, and how surely.

    Where a set has more rows than are asked for, the rows are chosen by a hash of their
    identifier: every model, and every later run, gets the same ones.
    """

    test_rows: int = Field(
        200, ge=1, description="Most test rows on which the answers' cross-entropy is measured."
    )
    validation_rows: int = Field(
        30,
        ge=1,
        description="Most validation rows, likewise. Their gap is told, not judged, and training "
        "measures its loss on all of them.",
    )
    train_rows: int = Field(
        60,
        ge=1,
        description="Most training rows for the gap between seen and unseen rows; only rows "
        "taken from documents count, augmented ones do not.",
    )
    generated_rows: int = Field(
        40, ge=0, description="Most test rows for which the model writes its own answer."
    )
    max_new_tokens: int = Field(
        48, ge=1, description="Longest generated answer, in tokens; what is longer never stopped."
    )
    general_folder: Path | None = Field(
        None,
        description="Folder of JSONL files with general skills (query, choices, gold) and general "
        "text (text), to measure forgetting. Empty: the probe that comes with Temper.",
    )
    general_items_per_skill: int | None = Field(
        None, ge=1, description="Most items of each general skill; empty for all."
    )
    general_texts: int = Field(30, ge=0, description="Most passages of general text.")
    general_text_tokens: int | None = Field(
        128,
        ge=16,
        description="First tokens of each passage that are scored; empty for the whole passage. "
        "Scoring every token makes general text the dearest per token, and more passages tell "
        "more than longer ones.",
    )
    max_length: int = Field(
        1024,
        ge=16,
        description="Longest row in tokens. A longer example or item is dropped with a reason; "
        "longer general text is scored in pieces of this length.",
    )
    scored_tokens_per_forward: int = Field(
        256,
        ge=16,
        description="Most tokens scored at once. It bounds memory: with a vocabulary of 262,144, "
        "256 tokens make 0.27 GB of logits, and as much again to normalise them.",
    )
    noise_rows: int = Field(
        8,
        ge=0,
        description="Test rows measured a second time, in another order and other batches, and "
        "fewer of the other sets: a difference no larger than what this changes is called none. "
        "8 are 4 % of the test rows and 5 % of the written answers that are measured. 0: not "
        "measured.",
    )
    sharpness: SharpnessConfig = Field(
        default_factory=SharpnessConfig,
        description="How sharp the minimum is, on training rows; the literature links it with "
        "forgetting.",
    )
    bootstrap_resamples: int = Field(
        2_000, ge=200, description="Bootstrap resamples behind each 95 % interval."
    )
    seed: int = Field(
        0,
        ge=0,
        description="Seed of the bootstrap, and of the order in which rows are measured again.",
    )
    shown_examples: int = Field(
        10, ge=0, description="How many improved and how many worsened answers are shown."
    )
    examinations: tuple[AnyExamination, ...] = Field(
        (),
        description="What both models are examined in beside: few_shot, retrieval, recall, "
        "invention, calibration, cross_lingual, instructions, refusal, harness. Each is a call of "
        "the model for every question, so none is on from the start.",
    )
    judge: PairwiseConfig | None = Field(
        None,
        description="A language model that compares the written answers of both models, in both "
        "orders. Empty: none is asked.",
    )

    @property
    def plan(self) -> ExaminationPlan:
        """Return what examinations depend on."""
        return ExaminationPlan(
            examinations=self.examinations,
            max_length=self.max_length,
            scored_tokens_per_forward=self.scored_tokens_per_forward,
        )

    @property
    def predictions(self) -> "EvaluationConfig":
        """Return what predictions depend on: neither examinations nor judge."""
        return self.model_copy(update={"examinations": (), "judge": None})
