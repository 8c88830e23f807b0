"""Rows per minute of each generator, and what becomes of its candidates.

python -m benchmarks.generation_yield PROFILE [--documents DIR] [--set generation.llm.model=...]
    [--kinds single_fact,raft | --kinds all] [--calls 20] [--page PAGE.md] [--rows ROWS.jsonl]

Each generator works alone and with nothing cached; one that derives rows from rows is given
those of the profile's rules. With --kinds, these are measured in place of the profile's.
"""

import argparse
import json
import platform
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from data_contracts.dataset import StageResult
from flows.config import PipelineConfig, load_config
from tasks.generation.base import GENERATORS, RowGenerator, RuleGenerator
from tasks.generation.config import GenerationConfig
from tasks.generation.generate import generate_rows, needs_model
from tasks.ingestion.chunk import chunk_documents
from tasks.ingestion.ingest import ingest_documents
from tasks.llm.connect import language_model
from tasks.llm.request import Complete
from tasks.settings import Settings

PAGE = Path("docs/results/generation-yield.md")


@dataclass(frozen=True)
class Yield:
    """What one generator gave.

    Attributes:
        name: The generator.
        asked: Conversations with a language model; 0 for rules.
        kept: Rows kept.
        reasons: Why its other candidates were dropped.
        seconds: Wall-clock time.
    """

    name: str
    asked: int
    kept: int
    reasons: Counter[str]
    seconds: float


def read_documents(config: PipelineConfig) -> tuple[pa.Table, pa.Table]:
    """Return chunks and documents, their tokens counted by length: no model is loaded."""
    if config.documents is None:
        raise SystemExit("Name a folder of documents: --documents DIR.")
    with TemporaryDirectory() as cache:
        documents = ingest_documents(config.documents, config.ingestion, Path(cache)).kept
    chunks = chunk_documents(documents, config.chunking, lambda ts: [len(t) // 4 for t in ts])
    return chunks.kept, documents


def variants(config: GenerationConfig, kinds: Sequence[str]) -> dict[str, GenerationConfig]:
    """Return a configuration for each generator by itself."""
    names = kinds or [g.generator for g in config.generators]
    configured = {g.generator: g for g in config.generators}
    rules = [g for g in config.generators if isinstance(g, RuleGenerator)]
    found = {}
    for name in names:
        generator = configured.get(name) or GENERATORS.get(name).model_validate({})
        company = rules if isinstance(generator, RowGenerator) else []
        options = {
            "generators": (*company, generator),
            "rows_per_kind": {},
            "max_rows_per_document": 10**6,
            "max_loss_rate": 1.0,
            "max_refusal_share": 1.0,
        }
        found[name] = config.model_copy(update=options)
    return found


def measure(
    name: str,
    config: GenerationConfig,
    tables: tuple[pa.Table, pa.Table],
    complete: Complete | None,
) -> tuple[Yield, list[dict[str, Any]]]:
    """Run one generator and return what it gave, and its rows."""
    started = time.monotonic()
    with TemporaryDirectory() as cache:
        result = generate_rows(*tables, config, complete, Path(cache))
    return _yield(name, result, time.monotonic() - started)


def _yield(name: str, result: StageResult, seconds: float) -> tuple[Yield, list[dict[str, Any]]]:
    kept = [row for row in result.kept.to_pylist() if row["generator"] == name]
    dropped = [row for row in result.dropped.to_pylist() if row["generator"] == name]
    asked = int(result.figures.get(f"asked.{name}", 0))
    reasons = Counter(row["reason"] for row in dropped)
    return Yield(name, asked, len(kept), reasons, seconds), [*kept, *dropped]


def render(found: Sequence[Yield], command: str, about: str) -> str:
    """Return the page."""
    lines = [
        "# What each generator yields",
        "",
        f"`{command}`",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}, "
        f"temper {version('temper')}. {about}",
        "",
        "| generator | asked | kept | share kept | rows per minute | dropped as |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for one in found:
        made = one.kept + one.reasons.total()
        share = f"{one.kept / made:.0%}" if made else "-"
        reasons = ", ".join(f"{n} {reason}" for reason, n in one.reasons.most_common())
        speed = 60 * one.kept / one.seconds
        lines.append(
            f"| {one.name} | {one.asked or '-'} | {one.kept} | {share} | {speed:,.0f} "
            f"| {reasons or '-'} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("--documents")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--calls", type=int, help="subjects that a kind asks about, at most")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--rows", type=Path, help="file for the rows, to be read by hand")
    options = parser.parse_args()
    settings = list(options.settings)
    if options.calls:
        settings.append(f"generation.llm.max_calls={options.calls}")
    config = load_config(options.profile, options.documents, settings)
    kinds = GENERATORS.names() if options.kinds == "all" else options.kinds.split(",")
    chosen = variants(config.generation, [kind for kind in kinds if kind])
    tables = read_documents(config)
    asks = any(needs_model(one) for one in chosen.values())
    llm, home = config.generation.llm, Settings().resolved_home
    found, rows = [], []
    with language_model(llm, home) if asks else nullcontext() as complete:
        for name, one in chosen.items():
            own, made = measure(name, one, tables, complete)
            found.append(own)
            rows += made
            print(own, flush=True)
    models = f", model {llm.model} at {llm.base_url}" if asks else ""
    about = f"{tables[1].num_rows} documents, {tables[0].num_rows} chunks{models}."
    command = f"python -m benchmarks.generation_yield {options.profile}"
    for name in ("documents", "kinds", "calls"):
        value = getattr(options, name)
        command += f" --{name} {value}" if value else ""
    command += "".join(f" --set {setting}" for setting in options.settings)
    options.page.write_text(render(found, command, about), encoding="utf-8")
    if options.rows:
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        options.rows.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(options.page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
