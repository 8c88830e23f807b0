"""Asks a language model about the rows whose turn it is, at full concurrency, and keeps all."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from data_contracts.base import digest
from tasks.augmentation.augmenter import LLMAugmenter, Outcome
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.document import Source, budget, drawn, order
from tasks.llm.logged import LoggedModel
from tasks.llm.structured import ask_all
from tasks.progress import track

Row = dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """A row that an augmenter is to ask about."""

    source: Source
    row: Row
    augmenter: LLMAugmenter

    @property
    def key(self) -> tuple[str, str]:
        """Row and augmenter by their names."""
        return self.row["example_id"], self.augmenter.augmenter


def turns(sources: Sequence[Source], config: AugmentationConfig) -> list[Turn]:
    """Return what is asked: no more of a document than its budget, `llm.max_calls` in all.

    An augmenter asks about a row only where its variant would be wanted: it comes first in
    the order drawn for the row (or second, where `share` wants two variants a row, ...).
    """
    found = [turn for source in sources for turn in _of_document(source, config)]
    chosen = []
    for augmenter in config.asking:
        own = [turn for turn in found if turn.augmenter == augmenter]
        ranked = sorted(own, key=lambda turn: digest([config.seed, *turn.key]))
        chosen += ranked[: config.llm.max_calls]
    return chosen


def _of_document(source: Source, config: AugmentationConfig) -> Iterator[Turn]:
    reach = math.ceil(config.share)
    for row in drawn(source, config)[: budget(source, config)]:
        for augmenter in order(row, config)[:reach]:
            example = source.examples[row["example_id"]]
            if isinstance(augmenter, LLMAugmenter) and augmenter.applies(example):
                yield Turn(source, row, augmenter)


def ask(
    wanted: Sequence[Turn], model: LoggedModel, config: AugmentationConfig
) -> dict[tuple[str, str], Outcome]:
    """Return what the model made of each row; what it replied is in its log.

    Raises:
        EndpointError: The endpoint failed for good, or the budget is used up.
    """

    def progress(items: Iterable[object], total: int) -> Iterable[object]:
        return track(items, "Asking for other words", total)

    work = [partial(_outcome, turn, model, config) for turn in wanted]
    ask_all(work, config.llm.at_once, progress, model)
    return {turn.key: _outcome(turn, model, config) for turn in wanted}


def _outcome(turn: Turn, model: LoggedModel, config: AugmentationConfig) -> Outcome:
    example = turn.source.examples[turn.row["example_id"]]
    return turn.augmenter.ask(example, model, config.llm.repairs)
