"""What stages report besides tables: models, training, comparison, certificate, verdict.

All are frozen pydantic models: JSON in MLflow, in the report and between tasks.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from data_contracts.base import Result

Outcome = Literal["PASS", "INSUFFICIENT EVIDENCE", "FAIL"]


class BaseModelRef(Result):
    """A base model on this machine: a folder of config, tokenizer and safetensors."""

    name: str
    folder: Path
    fingerprint: str


class ModelRef(Result):
    """A tuned model on this machine.

    `folder/weights` holds what the method saved (an adapter, or a full model), beside it
    the tokenizer with its chat template, `training.json` (a `TrainingResult`) and, written
    last, `manifest.json`.
    """

    fingerprint: str
    folder: Path
    method: str
    base: BaseModelRef


class TrainingPoint(Result):
    """One logged moment of training; a field is None where it was not measured."""

    step: int
    epoch: float
    train_loss: float | None = None
    validation_loss: float | None = None
    learning_rate: float | None = None


class TrainingResult(Result):
    """How training went. Losses are mean nats per supervised token."""

    method: str
    trainable_parameters: int
    total_parameters: int
    examples: int
    tokens: int  # processed, padding not counted
    supervised_tokens: int
    steps: int
    epochs: float
    best_step: int
    best_validation_loss: float
    stopped_early: bool
    seconds: float
    peak_memory_bytes: int
    history: list[TrainingPoint]


class Interval(Result):
    """An estimate with its 95 % bootstrap interval."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


class Delta(Result):
    """Base against tuned on the same rows, for one measure on one set of rows."""

    set: str  # test, validation, train, general_text, general_skill
    name: str  # "all", a kind of question, or a skill
    measure: str  # cross_entropy, token_f1, exact_match, stop_rate, accuracy
    better: Literal["lower", "higher"]
    rows: int
    clusters: int  # independent units (documents, items): what the bootstrap draws
    base: float
    tuned: float
    delta: Interval  # tuned - base, paired


class Gap(Result):
    """How much better a model is on rows it trained on than on rows it did not.

    `base` and `tuned` are cross-entropy on `set` minus cross-entropy on train; `excess` is
    tuned - base: the part that training opened, the rows' own difficulty taken out.
    """

    set: Literal["validation", "test"]
    base: float
    tuned: float
    excess: Interval


class ComparedExample(Result):
    """One test row as the base and the tuned model answered it."""

    row_id: str
    kind: str
    prompt: str
    reference: str
    base_answer: str
    tuned_answer: str
    base_cross_entropy: float
    tuned_cross_entropy: float
    base_f1: float
    tuned_f1: float


class Comparison(Result):
    """Everything the evaluation found out about base and tuned."""

    deltas: list[Delta]
    gaps: list[Gap]
    improved: list[ComparedExample]  # most improved first
    worsened: list[ComparedExample]  # most worsened first

    def find(self, set_: str, measure: str, name: str = "all") -> Delta | None:
        """Return the delta of that set, measure and name, if it was measured."""
        for delta in self.deltas:
            if (delta.set, delta.measure, delta.name) == (set_, measure, name):
                return delta
        return None


class LeakageFinding(Result):
    """The closest pair of rows that a detector found across two splits."""

    detector: str  # exact, near_duplicate, ngram_13, same_document, ...
    split: Literal["validation", "test"]  # compared with train
    threshold: float
    hits: int  # held-out rows at or above the threshold
    highest: float
    train_id: str | None = None
    held_out_id: str | None = None
    train_text: str | None = None
    held_out_text: str | None = None


class LeakageCertificate(Result):
    """What the audit of a split dataset found; `passed` only when every count is zero."""

    rows: dict[str, int]  # split -> rows
    groups: dict[str, int]  # split -> groups
    shared_groups: int
    findings: list[LeakageFinding]
    ignored_template_ngrams: int
    passed: bool


class Leg(Result):
    """One leg of the verdict, with the figures it rests on."""

    name: str
    outcome: Outcome
    reason: str
    figures: dict[str, float] = Field(default_factory=dict)


class Verdict(Result):
    """The verdict on a tuned model: the worst of its legs."""

    outcome: Outcome
    legs: list[Leg]


class ModelVersionRef(Result):
    """A version of a registered model in MLflow."""

    name: str
    version: str
    champion: bool  # whether the alias `champion` points to it
