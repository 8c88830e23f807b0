"""What one model gives away of the rows that were trained on, row by row, in the MEMORY schema.

Rows are asked without their passage: copying it out of the prompt is the task, not memory.
Which rows are asked depends on the rows alone, so that base and tuned model are compared on
the same ones.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import torch
from torch import Tensor, nn

from data_contracts.dataset import StageResult
from data_contracts.errors import ModelError, TooFewRows
from data_contracts.schemas import MEMORY, REPLAY, dropped_schema
from tasks.evaluation.generation import generate_answers
from tasks.evaluation.likelihood import losses_by_token
from tasks.evaluation.multiple_choice import EncodedItem, choice_scores
from tasks.evaluation.predict import pick
from tasks.evaluation.remembered import Memory
from tasks.memorisation.config import MemorisationConfig
from tasks.memorisation.copying import TrainingText
from tasks.memorisation.exposure import exposure
from tasks.modeling.canary import CANARY, Canary, CanaryConfig, alternatives, make_canaries
from tasks.modeling.chat import EncodedExample, encode_example, end_token_ids, prompt_messages

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Row = dict[str, Any]

_ANY_LENGTH = 2**31


@dataclass(frozen=True)
class _Subject:
    """The model under test, how it is tested, and what is remembered of it."""

    model: nn.Module
    tokenizer: "PreTrainedTokenizerBase"
    config: MemorisationConfig
    memory: Memory

    def encoded(self, example: Row) -> EncodedExample:
        """Return the tokens of a row without its passage."""
        return encode_example(self.tokenizer, example | {"context": None}, _ANY_LENGTH)

    def losses(self, rows: Sequence[EncodedExample], what: str) -> list[Tensor]:
        """Return the loss of each answer's tokens."""
        limit, pad = self.config.scored_tokens_per_forward, int(self.tokenizer.pad_token_id)

        def measure(new: list[EncodedExample]) -> list[list[float]]:
            return [row.tolist() for row in losses_by_token(self.model, new, pad, limit, what)]

        found = self.memory.measured(("token losses", limit), rows, _tokens, measure)
        return [torch.tensor(row) for row in found]

    def continuations(self, prompts: Sequence[tuple[int, ...]]) -> list[str]:
        """Return how the model goes on."""
        longest = self.config.continuation_tokens

        def generate(new: list[tuple[int, ...]]) -> list[str]:
            answers = generate_answers(self.model, self.tokenizer, new, longest)
            return [answer.text for answer in answers]

        return self.memory.measured(("continuation", longest), prompts, list, generate)


def _tokens(row: EncodedExample) -> object:
    return [row.input_ids, row.labels]


def measure(
    model: nn.Module,
    tokenizer: "PreTrainedTokenizerBase",
    examples: pa.Table,
    canaries: CanaryConfig,
    config: MemorisationConfig,
    memory: Memory | None = None,
) -> StageResult:
    """Measure what one model knows of training rows, of test rows and of canaries.

    Args:
        model: A causal language model, wrapped or not.
        tokenizer: Its tokenizer, with chat template and padding token.
        examples: Rows in the EXAMPLE schema with `split` set.
        canaries: Those planted into the tuned model's training.
        config: What is asked.
        memory: What was measured of this model before; canaries are measured each time.

    Raises:
        TooFewRows: There is no training row.
        ModelError: The model gives losses that are not finite.
    """
    model.eval()
    subject = _Subject(model, tokenizer, config, memory or Memory())
    every = examples.to_pylist()
    train = [row for row in every if row["split"] == "train" and row["kind"] != REPLAY]
    if not train:
        raise TooFewRows("The dataset has no training row, so nothing can have been memorised.")
    rows = _scored(subject, "train", _originals(train), config.member_rows)
    rows += _scored(subject, "test", _originals(_split(every, "test")), config.member_rows)
    _go_on(subject, rows, train)
    rows += _canary_rows(subject, make_canaries(canaries))
    return _result(rows)


def _split(examples: Iterable[Row], split: str) -> list[Row]:
    return [row for row in examples if row["split"] == split]


def _originals(examples: Iterable[Row]) -> list[Row]:
    """Return rows that are no reworded ones: those would make the gap one between wordings."""
    return [row for row in examples if row["parent_id"] is None]


def _scored(subject: _Subject, set_: str, examples: Sequence[Row], most: int) -> list[Row]:
    """Return rows with their losses; what is too long gets a reason instead.

    Only answers of some length count, in both sets: a word or two coincide, or are guessed.
    """
    chosen = list(islice(_telling(subject, examples), most))
    rows = [_row(set_, example) | {"encoded": encoded} for example, encoded in chosen]
    for row in rows:
        length = len(row["encoded"].input_ids)
        if length > subject.config.max_length:
            detail = f"{length} tokens, more than memorisation.max_length"
            row |= {"reason": "too_long", "detail": f"{detail} {subject.config.max_length}"}
    short = [row for row in rows if "reason" not in row]
    losses = subject.losses([row["encoded"] for row in short], f"Scoring {set_} rows from memory")
    for row, of_row in zip(short, losses, strict=True):
        row |= _measures(of_row, subject.config.hardest_share)
    return rows


def _telling(subject: _Subject, examples: Sequence[Row]) -> Iterator[tuple[Row, EncodedExample]]:
    """Yield the rows whose answers are long enough, in the order of their hashes."""
    for example in pick(examples, lambda example: str(example["example_id"]), None):
        encoded = subject.encoded(example)
        if _beginning(subject, encoded) is not None:
            yield example, encoded


def _row(set_: str, example: Row) -> Row:
    return {
        "set": set_,
        "row_id": example["example_id"],
        "cluster": example["group_id"] or example["document_id"],
        "question": prompt_messages(example | {"context": None})[-1]["content"],
    }


def _measures(losses: Tensor, hardest_share: float) -> Row:
    """Return the mean loss of a row, and that of its least likely tokens."""
    count = max(1, round(hardest_share * len(losses)))
    hardest = losses.sort(descending=True).values[:count]
    means = {"cross_entropy": float(losses.mean()), "hardest": float(hardest.mean())}
    return {"n_tokens": len(losses), **means}


def _go_on(subject: _Subject, rows: Sequence[Row], train: Sequence[Row]) -> None:
    """Let the model go on from the beginnings of training rows, and compare with the rest."""
    config = subject.config
    members = [row for row in rows if row["set"] == "train" and "reason" not in row]
    found = [(row, _beginning(subject, row["encoded"])) for row in members[: config.prompts]]
    asked = [(row, beginning) for row, beginning in found if beginning is not None]
    answers = subject.continuations([beginning.prompt for _, beginning in asked])
    text = TrainingText(str(example["answer"]) for example in train)
    for (row, beginning), answer in zip(asked, answers, strict=True):
        row |= {
            "prompt": f"{row['question']}\n\n{beginning.shown}",
            "reference": beginning.rest,
            "generated": answer,
            "copied": answer.startswith(beginning.rest),
            "common_words": text.longest_run(answer),
            "copied_ngrams": text.copied_ngrams(answer, config.ngram),
        }


@dataclass(frozen=True)
class _Beginning:
    """A row cut in two: what the model is shown, and what it would have to go on with."""

    prompt: tuple[int, ...]
    shown: str
    rest: str


def _beginning(subject: _Subject, encoded: EncodedExample) -> _Beginning | None:
    """Cut an answer; None if too little would be left to tell copying from coincidence."""
    config, tokenizer = subject.config, subject.tokenizer
    ends = set(end_token_ids(tokenizer))
    answer = [token for token in encoded.supervised if token not in ends]
    shown = max(1, round(config.beginning_share * len(answer)))
    rest = answer[shown:][: config.continuation_tokens]
    if len(rest) < config.shortest_continuation:
        return None
    start = len(encoded.input_ids) - len(encoded.supervised)
    return _Beginning(
        encoded.input_ids[: start + shown],
        str(tokenizer.decode(answer[:shown])).strip(),
        str(tokenizer.decode(rest)).strip(),
    )


def _canary_rows(subject: _Subject, canaries: Sequence[Canary]) -> list[Row]:
    return [_canary_row(subject, canary) for canary in canaries]


def _canary_row(subject: _Subject, canary: Canary) -> Row:
    """Compare a canary's secret with random ones; all share the question's computation."""
    config = subject.config
    secrets = [canary.secret, *alternatives(canary, config.alternatives, config.seed)]
    encoded = [subject.encoded(_asked(canary, secret)) for secret in secrets]
    item = EncodedItem(*_divided(encoded))
    pad, limit = int(subject.tokenizer.pad_token_id), config.scored_tokens_per_forward
    parts = [
        EncodedItem(item.prompt, item.choices[at : at + _SECRETS_AT_ONCE])
        for at in range(0, len(item.choices), _SECRETS_AT_ONCE)
    ]
    scored = choice_scores(subject.model, parts, pad, limit)
    scores = [score for part in scored for score in part]
    tokens = len(item.choices[0])
    return {
        "set": CANARY,
        "row_id": canary.name,
        "cluster": canary.name,
        "n_tokens": tokens,
        "cross_entropy": max(0.0, -scores[0] / tokens),
        "hardest": max(0.0, -scores[0] / tokens),
        "prompt": f"{canary.question}\n\n{canary.beginning}",
        "reference": canary.secret,
        "exposure": exposure(scores[0], scores[1:]),
    }


# As many secrets of a dozen tokens each stand behind one question in one row.
_SECRETS_AT_ONCE = 16


def _asked(canary: Canary, secret: str) -> Row:
    answer = Canary(canary.name, secret).answer
    return {"example_id": canary.name, "question": canary.question, "answer": answer}


def _divided(
    encoded: Sequence[EncodedExample],
) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Return the tokens that all rows begin with, and what differs until all end alike."""
    rows = [row.input_ids for row in encoded]
    start, end = _shared(rows), _shared([row[::-1] for row in rows])
    return rows[0][:start], tuple(row[start : len(row) - end] for row in rows)


def _shared(rows: Sequence[Sequence[int]]) -> int:
    """Return how many first tokens all rows have in common."""
    columns = enumerate(zip(*rows, strict=False))
    return next(at for at, column in columns if len(set(column)) > 1)


def _result(rows: Sequence[Row]) -> StageResult:
    kept = [row for row in rows if "reason" not in row]
    broken = [str(row["row_id"]) for row in kept if not math.isfinite(row["cross_entropy"])]
    if broken:
        raise ModelError(
            f"The model gives losses that are not finite on {len(broken)} of {len(kept)} rows, "
            f"first {', '.join(broken[:3])}: its weights are damaged or training diverged. "
            "Lower the learning rate and train again."
        )
    dropped = [row for row in rows if "reason" in row]
    return StageResult(
        kept=pa.Table.from_pylist(list(_told(kept, MEMORY)), schema=MEMORY),
        dropped=pa.Table.from_pylist(
            list(_told(dropped, dropped_schema(MEMORY))), schema=dropped_schema(MEMORY)
        ),
        rows_in=len(rows),
    )


def _told(rows: Iterable[Row], schema: pa.Schema) -> Iterator[Row]:
    """Yield the rows' columns, without what they carried along."""
    for row in rows:
        yield {name: row.get(name) for name in schema.names}
