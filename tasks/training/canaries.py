"""Plants canaries among the training rows, in memory: no dataset on disk ever holds one."""

import logging

import pyarrow as pa

from data_contracts.schemas import EXAMPLE, blank_row
from tasks.modeling.canary import CANARY, CanaryConfig, make_canaries

logger = logging.getLogger(__name__)


def with_canaries(examples: pa.Table, config: CanaryConfig) -> pa.Table:
    """Return the rows with the canaries' behind them, each marked as what it is.

    Args:
        examples: Rows in the EXAMPLE schema; they are not changed.
        config: How many, how often.
    """
    if not config.count:
        return examples
    logger.warning(
        "training: %d canaries are planted, %d times each: the model is for measuring",
        config.count,
        config.repetitions,
    )
    rows = [
        blank_row(EXAMPLE)
        | {
            "example_id": f"{CANARY}-{number}-{repetition}",
            "kind": CANARY,
            "question": canary.question,
            "answer": canary.answer,
            "document_id": CANARY,
            "chunk_id": CANARY,
            "generator": CANARY,
            "group_id": CANARY,
            "flags": [CANARY],
            "split": "train",
        }
        for number, canary in enumerate(make_canaries(config))
        for repetition in range(config.repetitions)
    ]
    return pa.concat_tables([examples, pa.Table.from_pylist(rows, schema=EXAMPLE)])
