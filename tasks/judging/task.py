"""The Prefect task of judging."""

from collections.abc import Sequence

import pyarrow as pa
from prefect import task

from data_contracts.dataset import DatasetRef, StageResult, read_kept
from data_contracts.schemas import EXAMPLE
from tasks.judging.config import JudgingConfig
from tasks.judging.judge import VERSION, judge_examples, needs_model
from tasks.llm.connect import language_model
from tasks.llm.task import llm_api_key
from tasks.stage import Stage, run_stage
from tasks.tracking import RunContext

JUDGING = Stage(name="judging", version=VERSION, schema=EXAMPLE, suite="judging")


@task(name="judge")
def judge(
    examples: Sequence[DatasetRef],
    chunks: DatasetRef | None,
    config: JudgingConfig,
    context: RunContext,
) -> DatasetRef:
    """Judge the rows of one or several datasets, generated or imported."""
    cache = context.home / "cache" / JUDGING.name

    def compute() -> StageResult:
        rows = pa.concat_tables([read_kept(ref) for ref in examples]).combine_chunks()
        passages = read_kept(chunks) if chunks is not None else None
        if not needs_model(config):
            return judge_examples(rows, passages, config, None, cache, cache)
        with language_model(config.llm, context.home, llm_api_key(config.llm)) as complete:
            return judge_examples(rows, passages, config, complete, cache, cache)

    parents = {f"examples_{n}": ref.fingerprint for n, ref in enumerate(examples)}
    if chunks is not None:
        parents["chunks"] = chunks.fingerprint
    return run_stage(JUDGING, context, config, parents, compute)
