"""Puts all examinations to one model, in the MEASUREMENT schema."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
from torch import nn

from data_contracts.dataset import StageResult
from data_contracts.schemas import MEASUREMENT, dropped_schema
from tasks.evaluation.config import ExaminationPlan
from tasks.evaluation.examination import Findings, Material, Passage, task_rows
from tasks.evaluation.subject import Subject

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def examine(
    model: nn.Module,
    tokenizer: "PreTrainedTokenizerBase",
    material: Material,
    plan: ExaminationPlan,
) -> StageResult:
    """Put the planned examinations to a model.

    Args:
        model: A causal language model, wrapped or not.
        tokenizer: Its tokenizer, with chat template and padding token.
        material: What questions are made from.
        plan: The examinations and their limits.

    Raises:
        GeneralSetError: A file of questions is wrong.
    """
    model.eval()
    subject = Subject(model, tokenizer, plan.max_length, plan.scored_tokens_per_forward)
    findings = Findings()
    for examination in plan.examinations:
        started = time.monotonic()
        examination.examine(subject, material, findings)
        seconds = round(time.monotonic() - started, 2)
        findings.figures[f"seconds.{examination.examination}"] = seconds
    return StageResult(
        kept=pa.Table.from_pylist(findings.kept, schema=MEASUREMENT),
        dropped=pa.Table.from_pylist(findings.dropped, schema=dropped_schema(MEASUREMENT)),
        rows_in=len(findings.kept) + len(findings.dropped),
        figures=findings.figures,
    )


def material_of(examples: pa.Table, chunks: pa.Table | None) -> Material:
    """Return what questions are made from.

    Args:
        examples: Rows in the EXAMPLE schema with `split` set.
        chunks: The documents' passages in the CHUNK schema, where there are documents.
    """
    rows = list(task_rows(examples.to_pylist()))
    return Material(rows, [] if chunks is None else _passages(chunks))


def _passages(chunks: pa.Table) -> Sequence[Passage]:
    rows = chunks.select(["chunk_id", "text"]).to_pylist()
    return [Passage(row["chunk_id"], row["text"]) for row in rows]
