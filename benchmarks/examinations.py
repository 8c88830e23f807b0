"""What the examinations say of a tuned model and its base.

    python -m benchmarks.examinations [--model FINGERPRINT] [--rows N] [--tokens N]

Takes a model of the home folder with the rows it was trained on, puts every examination to it
and to its base on a few rows each, and writes what changed, with what the models wrote.
"""

import argparse
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.dataset import DatasetRef, read_kept, read_manifest, reference
from data_contracts.errors import DatasetError
from data_contracts.results import BaseModelRef, Delta, ModelRef
from tasks.evaluation.compare_examinations import compare_examinations
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.examination import EXAMINATIONS, Examination, RowExamination
from tasks.evaluation.examine import examine, material_of
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.tuned import find_model, load_tuned, read_model_manifest
from tasks.settings import Settings
from tasks.text.rows import strings

PAGE = Path("docs/results/examinations.md")
_SHOWN = 2


def newest(home: Path) -> str:
    """Return the fingerprint of the tuned model that was made last."""
    folders = (home / "models" / "tuned").iterdir()
    return max(folders, key=lambda folder: read_model_manifest(folder).created).name


def dataset(home: Path, stage: str, content: str | None, chunk_ids: set[str]) -> DatasetRef:
    """Return the stage's dataset of that content, or the one that holds all the chunks."""
    for folder in sorted((home / "datasets" / stage).iterdir()):
        ref = reference(folder, read_manifest(folder))
        if content == ref.content_sha256:
            return ref
        if content is None and chunk_ids <= set(read_kept(ref)["chunk_id"].to_pylist()):
            return ref
    raise DatasetError(f"{home} no longer holds the {stage} dataset of this model. Run again.")


def plan(rows: int, tokens: int) -> EvaluationConfig:
    """Return all examinations but the harness, on a few rows each."""
    chosen: list[Examination] = []
    for kind in EXAMINATIONS:
        if issubclass(kind, RowExamination):
            chosen.append(kind.model_validate({"rows": rows, "max_new_tokens": tokens}))
        elif kind.model_fields["examination"].default != "harness":
            few = {"most_per_skill": max(2, rows // 2), "max_new_tokens": tokens}
            chosen.append(kind.model_validate(few))
    return EvaluationConfig(examinations=tuple(chosen), max_length=2048)


def run(home: Path, fingerprint: str, config: EvaluationConfig) -> str:
    """Examine both models and return the page's body."""
    model = find_model(home, fingerprint)
    if model is None:
        raise DatasetError(f"{home} holds no model {fingerprint}.")
    content = read_model_manifest(model.folder).parents["examples"]
    examples = read_kept(dataset(home, "augmentation", content, set()))
    chunks = read_kept(dataset(home, "chunking", None, set(strings(examples, "chunk_id"))))
    found = [_examined(m, examples, chunks, config) for m in (model.base, model)]
    deltas = compare_examinations(found[0][0], found[1][0], config)
    parts = [_table(deltas), _seconds(found[0][1], found[1][1]), _answers(found[0][0], found[1][0])]
    return "\n\n".join(parts)


def _examined(
    model: BaseModelRef | ModelRef, examples: pa.Table, chunks: pa.Table, config: EvaluationConfig
) -> tuple[pa.Table, dict[str, float]]:
    if isinstance(model, ModelRef):
        loaded, tokenizer = load_tuned(model)
    else:
        loaded, tokenizer = load_model(model), load_tokenizer(model)
    started = time.process_time()
    result = examine(loaded, tokenizer, material_of(examples, chunks), config.plan)
    figures = dict(result.figures) | {"processor seconds": time.process_time() - started}
    return result.kept, figures | {"questions dropped": float(result.dropped.num_rows)}


def _table(deltas: Iterable[Delta]) -> str:
    lines = [
        "| examination | arm | measure | rows | clusters | base | tuned | change | 95 % interval |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for d in deltas:
        interval = f"{d.delta.low:+.3f} to {d.delta.high:+.3f}"
        names = f"{d.set} | {d.name} | {d.measure} ({d.better} is better)"
        levels = f"{d.base:.3f} | {d.tuned:.3f} | {d.delta.estimate:+.3f} | {interval}"
        lines.append(f"| {names} | {d.rows} | {d.clusters} | {levels} |")
    return "\n".join(lines)


def _seconds(base: dict[str, float], tuned: dict[str, float]) -> str:
    lines = ["| figure | base | tuned |", "| --- | --- | --- |"]
    lines += [f"| {name} | {base[name]:.2f} | {tuned[name]:.2f} |" for name in base]
    return "\n".join(lines)


def _answers(base: pa.Table, tuned: pa.Table) -> str:
    """Return the first answers of each arm, of both models."""
    own = {_key(row): row["generated"] for row in tuned.to_pylist()}
    shown: dict[tuple[str, str], int] = {}
    seen, lines = set(), ["| arm | asked | reference | base | tuned |", "| --- |" + " --- |" * 4]
    for row in base.to_pylist():
        arm = (row["set"], row["name"])
        if (*arm, row["row_id"]) in seen or shown.get(arm, 0) >= _SHOWN:
            continue
        seen.add((*arm, row["row_id"]))
        shown[arm] = shown.get(arm, 0) + 1
        texts = (row["prompt"][-140:], row["reference"], row["generated"], own.get(_key(row)))
        cells = " | ".join(_cell(text or "") for text in texts)
        lines.append(f"| {row['set']}, {row['name']} | {cells} |")
    return "\n".join(lines)


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return row["set"], row["name"], row["row_id"], row["measure"]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:160]


def main(argv: Sequence[str]) -> None:
    """Run the examinations and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(argv)
    home = Settings().home
    fingerprint = options.model or newest(home)
    body = run(home, fingerprint, plan(options.rows, options.tokens))
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    head = (
        "# Examinations: a tuned model against its base\n\n"
        f"`python -m benchmarks.examinations --model {fingerprint} --rows {options.rows} "
        f"--tokens {options.tokens}`, {date}, "
        f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}. Embedded "
        "Gemma 3 270M (pretrained, not instruction-tuned) and its LoRA adapter of that fingerprint."
    )
    options.page.write_text(f"{head}\n\n{body}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
