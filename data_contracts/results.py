"""What stages report besides tables: models, training, comparison, certificate, verdict.

All are frozen pydantic models: JSON in MLflow, in the report and between tasks.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from data_contracts.base import Result

Outcome = Literal["PASS", "INSUFFICIENT EVIDENCE", "FAIL"]
Change = Literal["none", "uncertain", "better", "worse"]


HeldType = Literal["float32", "bfloat16"]


class BaseModelRef(Result):
    """A base model on this machine: a folder of config, tokenizer and safetensors."""

    name: str
    folder: Path
    fingerprint: str
    held_in: HeldType = "float32"  # the type of its weights in memory, whatever the files have
    revision: str | None = None  # the commit, of a model from the hub

    @property
    def pinned_name(self) -> str:
        """Its name with the commit, where it has one: as a profile names it to get the same."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"

    @property
    def measured_as(self) -> str:
        """Its name in what is measured of it: held in another type it gives other figures."""
        return (
            self.fingerprint if self.held_in == "float32" else f"{self.fingerprint}-{self.held_in}"
        )


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

    @property
    def measured_as(self) -> str:
        """Its name in what is measured of it."""
        return self.fingerprint


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
    processor_seconds: float = 0.0  # of this process; 0 where it was not measured
    history: list[TrainingPoint]
    # What mitigations had to say at the end, by `mitigation.figure`.
    mitigations: dict[str, float] = Field(default_factory=dict)


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

    # test, validation, train, general_text, general_skill; and parts of the test rows:
    # test_apart, test_behaviour, test_recall, test_control; test_by_source, test_by_language,
    # test_by_knowledge; and the name of an examination
    set: str
    name: str  # "all", a kind of question, a group of test rows, a skill, an arm
    measure: str  # cross_entropy, token_f1, exact_match, rouge_l, right, stop_rate, accuracy, ...
    better: Literal["lower", "higher"]
    rows: int
    clusters: int  # independent units (documents, items): what the bootstrap draws
    base: float
    tuned: float
    delta: Interval  # tuned - base, paired
    noise_floor: float | None = None  # of the measuring itself; None where it was not measured

    @property
    def change(self) -> Change:
        """What can be said of the change; inside the noise floor, or without one, it is none."""
        if self.delta.estimate == 0 or abs(self.delta.estimate) <= (self.noise_floor or 0.0):
            return "none"
        if not self.delta.excludes_zero:
            return "uncertain"
        return "better" if (self.delta.estimate < 0) == (self.better == "lower") else "worse"


class Gap(Result):
    """How much better a model is on rows it trained on than on rows it did not.

    `base` and `tuned` are cross-entropy on `set` minus cross-entropy on train; `excess` is
    tuned - base: the part that training opened, the rows' own difficulty taken out.
    `base_interval` is that of `base`: far below 0, the training answers are ones that the
    untuned base does not expect, unlike held-out ones. None in comparisons of before 2026-11-29.
    """

    set: Literal["validation", "test"]
    base: float
    tuned: float
    excess: Interval
    base_interval: Interval | None = None


class CheckpointChange(Result):
    """Validation loss at the last checkpoint against that at the best, which was kept.

    Losses are mean nats per supervised token on the same rows, which also chose the best; the
    interval is corrected for how many checkpoints it was chosen among.
    """

    checkpoints: int  # measured in all
    best_step: int
    last_step: int
    rows: int
    clusters: int
    best: float
    last: float
    delta: Interval  # last - best, paired

    @property
    def change(self) -> Literal["none", "worse"]:
        """What can be said of the last checkpoint: none where the interval holds 0."""
        return "worse" if self.delta.low > 0 else "none"


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
    # what examinations and the judge found beside differences: position bias, passages found, ...
    figures: dict[str, float] = Field(default_factory=dict)
    checkpoints: CheckpointChange | None = None  # None where it was not measured

    def find(self, set_: str, measure: str, name: str = "all") -> Delta | None:
        """Return the delta of that set, measure and name, if it was measured."""
        for delta in self.deltas:
            if (delta.set, delta.measure, delta.name) == (set_, measure, name):
                return delta
        return None


class GivenAway(Result):
    """A held-out row, and the training row that gives it away most."""

    held_out_id: str
    train_id: str
    similarity: float  # by the detector's measure


class LeakageFinding(Result):
    """The closest pair of rows that a detector found across two splits, and all hits."""

    detector: str  # exact, near_duplicate, ngram_13, same_document, ...
    split: str  # compared with train: validation, test, earlier versions, benchmark NAME
    given_by: str = "train"  # the split whose rows were looked through; `train_id` names one
    threshold: float
    hits: int  # held-out rows at or above the threshold
    highest: float
    train_id: str | None = None
    held_out_id: str | None = None
    train_text: str | None = None
    held_out_text: str | None = None
    given_away: list[GivenAway] = Field(default_factory=list)  # one for each hit


class DetectorAccuracy(Result):
    """What a detector is worth on this very dataset; `any` is all of them together."""

    detector: str
    recall: float  # share of all planted leaks found
    by_kind: dict[str, float]  # kind of planted leak -> share found
    false_alarms: float | None = None  # share of rows called close to an unrelated row


class PlantedLeaks(Result):
    """How many leaks planted into a copy of the dataset were found."""

    planted: dict[str, int]  # kind -> leaks
    unrelated: int  # rows on which false alarms were counted
    detectors: list[DetectorAccuracy]


class RowsApart(Result):
    """Test rows to which no training row comes near by any measure."""

    share: float  # of each detector's threshold, from which on a training row is near
    of: int  # test rows that were looked at; recall questions are none of them
    example_ids: list[str]


class LeakageCertificate(Result):
    """What the audit of a split dataset found; `passed` only when every count is zero."""

    rows: dict[str, int]  # split -> rows
    groups: dict[str, int]  # split -> groups
    shared_groups: int
    findings: list[LeakageFinding]
    ignored_template_ngrams: int
    passed: bool
    accuracy: PlantedLeaks | None = None  # None where nothing was planted
    # Test rows of earlier versions, and benchmarks. They do not count for `passed`.
    outside: list[LeakageFinding] = Field(default_factory=list)
    apart: RowsApart | None = None  # None where there are no test rows
    # Test rows beside validation rows, which choose a checkpoint and teach nothing: told, not
    # counted for `passed`. Groups on both sides are counted.
    between: list[LeakageFinding] = Field(default_factory=list)


class FigureChange(Result):
    """One figure of the base and the tuned model, and what lies between them."""

    base: float
    tuned: float
    delta: Interval  # tuned - base, paired


class CopiedRow(Result):
    """How a training row was gone on with that the model was shown the beginning of."""

    row_id: str
    prompt: str
    reference: str
    base: str
    tuned: str
    common_words: int  # longest run of the tuned model's words that stands in training text


class CanaryExposure(Result):
    """How far a planted secret stands out among random ones, in bits."""

    canary: str
    base: float
    tuned: float


class Memorisation(Result):
    """How much of its training text a tuned model gives away word by word."""

    prompts: int  # beginnings of training rows that the model was asked to go on from
    copying: Interval  # share of them continued verbatim, tuned minus base
    canaries: int  # rows planted into training to be searched for afterwards
    exposure: float  # of the most exposed canary, in bits (Carlini et al. 2019, section 4.2)
    copied: FigureChange | None = None  # the shares behind `copying`
    ngrams: FigureChange | None = None  # share of written n-grams that stand in training text
    common_words: FigureChange | None = None  # mean longest run that stands in training text
    # How well a training row is told from a test row by its loss alone: area under the ROC
    # curve, 0.5 for not at all. By measure: loss, hardest tokens (Shi et al. 2024).
    membership: dict[str, FigureChange] = Field(default_factory=dict)
    examples: list[CopiedRow] = Field(default_factory=list)  # longest copy first
    planted: list[CanaryExposure] = Field(default_factory=list)


class FormChange(Result):
    """What asking in another form costs, on the same rows: that form minus the original one."""

    form: str  # reworded, mistyped, reordered (question before passage)
    measure: str  # cross_entropy, token_f1
    rows: int
    base: Interval
    tuned: Interval
    excess: Interval  # tuned - base: what training added to the cost


class Robustness(Result):
    """What asking the test questions otherwise costs base and tuned model."""

    forms: list[FormChange]


class Lineage(Result):
    """Whether what was judged is what was trained: sentences that ought to be true."""

    checks: dict[str, bool]


class ExportParity(Result):
    """How far the exported model is from the one that was judged."""

    form: str  # adapter, merged safetensors, GGUF, ...
    prompts: int
    highest_difference: float  # of the same token's log-probability, in nats
    equal_answers: float  # share of prompts answered alike
    tolerance: float = 0.05  # the highest difference that passes


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
    switched_off: dict[str, str] = Field(default_factory=dict)  # leg to the stated reason


class ModelVersionRef(Result):
    """A version of a registered model in MLflow."""

    name: str
    version: str
    champion: bool  # whether the alias `champion` points to it


ExportForm = Literal["adapter", "merged", "gguf"]


class DifferentAnswer(Result):
    """The prompt on which an export differs most from the model it was made from."""

    prompt: str
    expected: str
    answered: str
    difference: float


class ExportCheck(ExportParity):
    """How an export answered when it was loaded again, as its users will load it.

    The export continues each prompt, and each beginning of the model's own greedy answer.
    The difference is that of the log-probabilities of the model's own next token.
    """

    model: str  # fingerprint of the tuned model
    precision: str
    reference: str  # what the export was compared with
    same_prompts: int  # prompts that became the same tokens
    tokens: int  # compared
    passed: bool
    worst: DifferentAnswer


class ExportRef(Result):
    """An export on this machine; its folder holds this as `export.json`, written last."""

    folder: Path
    model: str  # fingerprint of the tuned model
    base: str
    method: str
    form: ExportForm
    precision: str
    files: dict[str, int]  # name -> bytes
    parity: ExportCheck
