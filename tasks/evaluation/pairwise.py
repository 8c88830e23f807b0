"""A language model compares the answers of base and tuned model, in both orders.

A judge that prefers whatever stands first gives itself away when the order is turned (Zheng et
al. 2023, arXiv 2306.05685, section 3.3): a preference that does not survive that is a tie.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel

from data_contracts.base import Result, digest
from data_contracts.results import Delta
from tasks.evaluation.bootstrap import paired_interval
from tasks.evaluation.config import EvaluationConfig, PairwiseConfig
from tasks.evaluation.metrics import all_words
from tasks.llm.logged import LoggedModel
from tasks.llm.request import Complete, Messages
from tasks.llm.response_log import ResponseLog
from tasks.llm.structured import ask_all, converse
from tasks.progress import track

RESPONSES = "responses.jsonl"

_PROMPT = Path(__file__).parent / "prompts" / "pairwise.md"
_MIN_CLUSTERS = 2

Place = Literal["first", "second", "tie"]


class Preference(Result):
    """What the judge is to reply: why, and only then which."""

    reason: str
    better: Place


@dataclass(frozen=True)
class Pair:
    """The two answers to a question."""

    row_id: str
    kind: str
    cluster: str
    prompt: str
    reference: str
    base: str
    tuned: str


@dataclass(frozen=True)
class Judged:
    """A pair with what the judge said in both orders; None where no reply counts."""

    pair: Pair
    base_first: Place | None
    tuned_first: Place | None

    @property
    def score(self) -> float | None:
        """1 where the tuned answer is better in both orders, 0 the base's, else 0.5."""
        if self.base_first is None or self.tuned_first is None:
            return None
        if (self.base_first, self.tuned_first) == ("second", "first"):
            return 1.0
        return 0.0 if (self.base_first, self.tuned_first) == ("first", "second") else 0.5


def answer_pairs(base: pa.Table, tuned: pa.Table, most: int) -> list[Pair]:
    """Return test rows that both models answered, chosen by hash.

    Args:
        base: Predictions of the base model, in the PREDICTION schema.
        tuned: Predictions of the tuned model for the same rows.
        most: At most so many.
    """
    own = {row["row_id"]: row["generated"] for row in _answered(tuned)}
    pairs = [
        Pair(
            row["row_id"], row["name"], row["cluster"], row["prompt"], row["reference"],
            row["generated"], own[row["row_id"]],
        )
        for row in _answered(base)
        if row["row_id"] in own
    ]  # fmt: skip
    return sorted(pairs, key=lambda pair: digest(["judge", pair.row_id]))[:most]


def _answered(predictions: pa.Table) -> Iterator[dict[str, str]]:
    rows = predictions.to_pylist()
    return (row for row in rows if row["set"] == "test" and row["generated"] is not None)


def judge_pairs(
    pairs: Sequence[Pair], config: PairwiseConfig, complete: Complete, cache: Path
) -> list[Judged]:
    """Have all pairs judged in both orders; equal answers are a tie that nobody is asked about.

    Args:
        pairs: The answers.
        config: The language model.
        complete: Asks it.
        cache: Folder for its replies.

    Raises:
        EndpointError: The language model cannot be reached or keeps failing.
        StorageError: The cache cannot be written.
    """
    model = LoggedModel(complete, ResponseLog(cache / RESPONSES), config.llm)
    work = [
        partial(_ask, pair, tuned_first, model, config)
        for pair in pairs
        if pair.base != pair.tuned
        for tuned_first in (False, True)
    ]

    def progress(items: Iterable[object], total: int) -> Iterable[object]:
        return track(items, "Comparing answers", total)

    ask_all(work, config.llm.at_once, progress, model)
    return [_judged(pair, model, config) for pair in pairs]  # from the log


def _judged(pair: Pair, model: LoggedModel, config: PairwiseConfig) -> Judged:
    if pair.base == pair.tuned:
        return Judged(pair, "tie", "tie")
    return Judged(pair, _ask(pair, False, model, config), _ask(pair, True, model, config))


def _ask(pair: Pair, tuned_first: bool, model: LoggedModel, config: PairwiseConfig) -> Place | None:
    reply = converse(_messages(pair, tuned_first), Preference, _place, model, config.llm.repairs)
    return reply.value


def _place(reply: BaseModel) -> Place:
    return Preference.model_validate(reply.model_dump()).better


def _messages(pair: Pair, tuned_first: bool) -> Messages:
    """Return the instructions, then all texts between marks that none of them can hold."""
    answers = (pair.tuned, pair.base) if tuned_first else (pair.base, pair.tuned)
    parts = {
        "question": pair.prompt,
        "reference": pair.reference,
        "first": answers[0],
        "second": answers[1],
    }
    mark = digest(parts, length=12)
    fenced = [f"<{name} {mark}>\n{text}\n</{name} {mark}>" for name, text in parts.items()]
    return [
        {"role": "system", "content": _instructions()},
        {"role": "user", "content": "\n\n".join(fenced)},
    ]


@cache
def _instructions() -> str:
    return _PROMPT.read_text(encoding="utf-8").strip()


def preference_deltas(judged: Sequence[Judged], config: EvaluationConfig) -> list[Delta]:
    """Return how often each model's answer was preferred, over all rows and by kind.

    A tie counts half for each. Rows without two verdicts do not count.
    """
    counted = [item for item in judged if item.score is not None]
    kinds = sorted({item.pair.kind for item in counted})
    parts = [("all", counted)] + [
        (kind, [item for item in counted if item.pair.kind == kind]) for kind in kinds
    ]
    return [delta for name, part in parts for delta in _delta(name, part, config)]


def _delta(name: str, judged: Sequence[Judged], config: EvaluationConfig) -> Iterator[Delta]:
    clusters = [item.pair.cluster for item in judged]
    if len(set(clusters)) < _MIN_CLUSTERS:
        return
    tuned = [item.score or 0.0 for item in judged]
    base = [1 - score for score in tuned]
    yield Delta(
        set="judge",
        name=name,
        measure="preferred",
        better="higher",
        rows=len(judged),
        clusters=len(set(clusters)),
        base=sum(base) / len(base),
        tuned=sum(tuned) / len(tuned),
        delta=paired_interval(base, tuned, clusters, config.seed, config.bootstrap_resamples),
    )


def judge_figures(judged: Sequence[Judged]) -> dict[str, float]:
    """Return what tells how far the judge can be believed.

    `judge.first_preferred` is the share of preferences for what stood first: 0.5 without a bias,
    since each pair was shown in both orders. `judge.turned` is the share of pairs whose verdict
    changed with the order, and `judge.longer_preferred` that of decided pairs in which the
    longer answer won.
    """
    counted = [item for item in judged if item.score is not None]
    said = Counter(v for item in counted for v in (item.base_first, item.tuned_first))
    decided = [item for item in counted if item.score != 0.5]
    turned = sum(_turned(item) for item in counted)
    figures = {
        "judge.pairs": float(len(counted)),
        "judge.without_verdict": float(len(judged) - len(counted)),
        "judge.ties": float(len(counted) - len(decided)),
    }
    figures |= _share("judge.first_preferred", said["first"], said["first"] + said["second"])
    figures |= _share("judge.turned", turned, len(counted))
    longer = sum(map(_longer_won, decided))
    return figures | _share("judge.longer_preferred", longer, len(decided))


def _turned(item: Judged) -> bool:
    same: dict[Place | None, Place] = {"first": "second", "second": "first", "tie": "tie"}
    return same[item.base_first] != item.tuned_first


def _longer_won(item: Judged) -> bool:
    excess = len(all_words(item.pair.tuned)) - len(all_words(item.pair.base))
    return excess > 0 if item.score == 1 else excess < 0


def _share(name: str, part: int, whole: int) -> dict[str, float]:
    return {name: part / whole} if whole else {}
