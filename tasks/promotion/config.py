"""Configuration of the gate. Defaults carry the reason for their size."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from data_contracts.base import Config

LegName = Literal[
    "task_gain",
    "retention_text",
    "retention_skills",
    "overfitting",
    "labels",
    "memorisation",
    "stopping",
    "leakage",
    "contracts",
    "lineage",
    "export_parity",
    "sample_size",
]
# Legs that can be named under `required`; of these, two have profiles with nothing to judge.
Requirable = Literal["memorisation", "stopping", "lineage", "export_parity"]

# Long enough that "ok" or "n/a" is none.
_SHORTEST_REASON = 10


class GateConfig(Config):
    """How much better the tuned model must be, and what it may lose.

    A margin says what difference does not matter in practice. It is chosen before the
    figures are seen; widening it afterwards to let a model pass makes the verdict void.
    """

    switched_off: Mapping[LegName, str] = Field(
        default_factory=dict,
        description="Legs that do not count, each with the reason; it stands in the verdict, the "
        "report and the registry. All others count, measured or not: one without evidence is "
        "INSUFFICIENT EVIDENCE.",
    )
    required: tuple[Requirable, ...] = Field(
        (),
        description="Legs that count even where the rest of the profile has nothing for them to "
        "judge: memorisation with selection.objective=knowledge, export_parity without exports. "
        "Elsewhere they count anyway.",
    )
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
    max_label_gap: float = Field(
        1.0,
        ge=0.0,
        description="By how many nats per token training answers may be less likely than test "
        "answers to the untuned base. 1.0: shuffled among 48 training rows they were 2.9, as "
        "they are 0.1 (docs/results/detection.md).",
    )
    max_copying: float = Field(
        0.2,
        ge=0.0,
        le=1.0,
        description="Share of training rows that the tuned model may continue verbatim, without "
        "their passage, beyond what the base does. 0.2: where none of 24 is, chance alone moves "
        "the interval's end to 0.13; more prompts (memorisation.prompts) allow for less.",
    )
    max_exposure: float = Field(
        10.0,
        ge=0.0,
        description="Exposure in bits that a planted canary may reach. 10: likelier than all but "
        "one in 1,024 random ones, which chance alone gives one canary in 1,024.",
    )
    min_stop_rate: float = Field(
        0.25,
        ge=0.0,
        le=1.0,
        description="Share of the test answers that the tuned model must end by itself, of those "
        "whose reference is short enough for it. 0.25: a base model that was never taught to ends "
        "none, one taught for a single pass over 200 rows ended 7 in 10.",
    )
    max_export_difference: float | None = Field(
        None,
        ge=0.0,
        description="By how many nats an exported model's log-probability of a token may differ "
        "from the judged one's. 0.05: 5 % of the probability. Empty: what rounding to the "
        "export's precision explains (docs/exporting.md).",
    )
    min_equal_answers: float = Field(
        0.95,
        ge=0.0,
        le=1.0,
        description="Share of prompts that the exported model must answer as the judged one does.",
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

    @model_validator(mode="after")
    def _reasons_are_stated(self) -> Self:
        for leg, reason in self.switched_off.items():
            if len(reason.strip()) < _SHORTEST_REASON:
                raise ValueError(f"the leg {leg} is switched off without a reason: {reason!r}")
            if leg in self.required:
                raise ValueError(f"the leg {leg} is both required and switched off")
        return self

    def without(self, legs: Mapping[LegName, str]) -> Self:
        """Return the gate with these legs switched off, each with its reason, but required ones."""
        off = {leg: why for leg, why in legs.items() if leg not in self.required}
        return self.model_copy(update={"switched_off": {**off, **self.switched_off}})
