"""Configuration of the gate. Defaults carry the reason for their size."""

from pydantic import Field

from data_contracts.base import Config


class GateConfig(Config):
    """How much better the tuned model must be, and what it may lose.

    A margin says what difference does not matter in practice. It is chosen before the
    figures are seen; widening it afterwards to let a model pass makes the verdict void.
    """

    min_task_gain: float = Field(
        0.0,
        ge=0.0,
        description="By how many nats per token the cross-entropy of test answers must have "
        "fallen. 0: it must have fallen, by an interval that excludes 0.",
    )
    max_text_loss: float = Field(
        0.05,
        ge=0.0,
        description="By how many nats per token general text may have become less likely. "
        "0.05: its perplexity may rise by 5 %.",
    )
    max_skill_loss: float = Field(
        0.03,
        ge=0.0,
        le=1.0,
        description="Accuracy that may be lost over all general skills. 0.03: on 500 items, of "
        "which 5 % change sides, chance alone moves the interval's end by 2 points.",
    )
    max_single_skill_loss: float = Field(
        0.15,
        ge=0.0,
        le=1.0,
        description="Accuracy that any one skill may be shown to have lost, so that the average "
        "hides no skill destroyed. 0.15: on 40 items, chance moves the interval's end that far.",
    )
    max_excess_gap: float = Field(
        0.5,
        ge=0.0,
        description="By how many nats per token training rows may have gained more than test "
        "rows. 0.5: their answers' tokens became at most 1.65 times as likely beside them.",
    )
    min_test_rows: int = Field(
        50, ge=1, description="Fewest test rows that make a verdict worth having."
    )
    min_test_groups: int = Field(
        5,
        ge=2,
        description="Fewest independent groups of test rows. The intervals' coverage was "
        "measured from 5 groups on.",
    )
    min_skill_items: int = Field(
        150,
        ge=1,
        description="Fewest general-skill items. If none of n changes, up to 3 / n may still "
        "change elsewhere (rule of three): 150 items rule out a loss of 2 points.",
    )
    min_texts: int = Field(20, ge=1, description="Fewest passages of general text.")
