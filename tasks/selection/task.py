"""The Prefect task of selection."""

import json
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, read_kept
from data_contracts.results import BaseModelRef
from data_contracts.schemas import EXAMPLE
from tasks.memo import Memo
from tasks.selection.config import BehaviourConfig, KnowledgeConfig
from tasks.selection.select import WARNINGS, select_for_behaviour, select_for_knowledge
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext

if TYPE_CHECKING:
    from tasks.selection.select import Classify

SELECTION = Stage(name="selection", version=1, schema=EXAMPLE, suite="selection")

logger = logging.getLogger(__name__)


@task(name="select")
def select(
    examples: DatasetRef,
    config: BehaviourConfig | KnowledgeConfig,
    base: BaseModelRef,
    context: RunContext,
) -> DatasetRef:
    """Keep the rows that serve the objective, and say what the dataset lacks for it."""
    parents = {"examples": examples.fingerprint}
    if isinstance(config, KnowledgeConfig) and config.classify_facts != 0:
        parents["base"] = base.fingerprint
    ref = run_stage(
        SELECTION, context, config, parents, lambda: _compute(examples, config, base, context)
    )
    for warning in json.loads((Path(ref.folder) / WARNINGS).read_text(encoding="utf-8")):
        logger.warning("%s", warning)
    return ref


def _compute(
    examples: DatasetRef,
    config: BehaviourConfig | KnowledgeConfig,
    base: BaseModelRef,
    context: RunContext,
) -> StageResult:
    rows = read_kept(examples)
    if isinstance(config, BehaviourConfig):
        from tasks.modeling.encoder import encode, encoder_sha256

        folder = context.home / "cache" / SELECTION.name
        with Memo(folder, ["vectors", encoder_sha256(config.encoder)]) as memo:
            vectors = partial(encode, encoder=config.encoder, memo=memo)
            return select_for_behaviour(rows, config, vectors, memo)
    classify = None if config.classify_facts == 0 else _classifier(config, base)
    return select_for_knowledge(rows, config, classify)


def _classifier(config: KnowledgeConfig, base: BaseModelRef) -> "Classify":
    from tasks.modeling.base_model import load_model, load_tokenizer
    from tasks.selection.known import classify

    model, tokenizer = load_model(base).eval(), load_tokenizer(base)
    return lambda asked, shown: classify(asked, shown, model, tokenizer, config)
