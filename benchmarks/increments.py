"""What one changed document costs: a dataset built, one document edited, built again, and so on.

Run: `.venv/bin/python -m benchmarks.increments [--documents 10000] [--edits 5] [--page PAGE]`
"""

import argparse
import hashlib
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results" / "increments.md"
SEED = 1
# What the issue asks for: the share of the full build's time that one document may cost.
TARGET = 0.02
# Stages that are named as those that cost most.
NAMED = 5
_NUMBER = re.compile(r"\d+")
STAGES = (
    "prepare_base_model", "ingest", "chunk", "generate", "judge", "curate", "select", "split",
    "augment", "audit", "write_data_card",
)  # fmt: skip


def main() -> None:
    """Measure, or be the process that builds once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "temper-increments"
    )
    parser.add_argument("--model", type=Path, default=ROOT / ".temper" / "models")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument(
        "--paragraphs", type=int, nargs=2, default=(2, 5), help="Fewest and most of a document."
    )
    parser.add_argument("--edits", type=int, default=5, help="One after the other.")
    parser.add_argument("--build", action="store_true", help="Build once and print the times.")
    options = parser.parse_args()
    if options.build:
        print(json.dumps(build(options.folder)))
        return
    lengths = tuple(options.paragraphs)
    rows = measure(options.folder, options.documents, lengths, options.model, options.edits)
    options.page.write_text(render(rows, options.documents, lengths), encoding="utf-8")


def build(folder: Path) -> dict[str, Any]:
    """Run the flow `dataset` and return processor seconds by stage."""
    from flows.environment import prepare_environment
    from tasks.settings import Settings

    prepare_environment(Settings())
    from flows.commands.output import prefect_session

    spent: dict[str, float] = {}
    with prefect_session(Settings()):
        import flows.build_dataset as flow

        for name in STAGES:
            setattr(flow, name, _timed(name, getattr(flow, name), spent))
        built = flow.dataset_pipeline("default", str(folder / "documents"), [])
    total = processor_seconds()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    refs = {ref.stage: ref.folder for ref in built.stages}
    rest = total - sum(spent.values())
    return {
        "spent": spent, "rest": rest, "total": total, "peak": peak, "folders": refs,
        "passed": built.certificate.passed,
    }  # fmt: skip


def _timed(name: str, task: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        start = processor_seconds()
        try:
            return task(*args, **kwargs)
        finally:
            spent[name] = processor_seconds() - start

    return run


def processor_seconds() -> float:
    """Return the time of this process and of those it started and that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(
    folder: Path, count: int, lengths: tuple[int, int], model: Path, edits: int
) -> dict[str, Any]:
    """Build; change one document and build again, so often; return the middle one of these."""
    home = folder / "home"
    if not (folder / "full.json").exists():
        from benchmarks.mixed_documents import make_documents  # loads what writes nine formats

        shutil.rmtree(folder, ignore_errors=True)
        make_documents(folder / "documents", count, SEED, lengths, distinct=True)
        home.mkdir(parents=True)
        (home / "models").symlink_to(model, target_is_directory=True)
        (folder / "full.json").write_text(json.dumps(_in_process(folder)))
    full = json.loads((folder / "full.json").read_text())
    found = [_changed(folder, full) for _ in range(edits)]
    ranked = sorted(found, key=lambda build: float(build["total"]))
    again, before = ranked[len(ranked) // 2], full
    if found.index(again):
        before = found[found.index(again) - 1]
    texts = [row["text"].split() for row in _rows(full["folders"]["ingestion"])]
    return {
        "full": full, "again": again, "reuse": reuse(before, again),
        "totals": [build["total"] for build in found],
        "words": sum(map(len, texts)) / len(texts),
    }  # fmt: skip


def _changed(folder: Path, full: Mapping[str, Any]) -> dict[str, Any]:
    """Change one more document and build again."""
    number = len(list(folder.glob("again-*.json")))
    changed = edit(folder / "documents", full["folders"], number)
    again = _in_process(folder) | {"changed": changed}
    (folder / f"again-{number}.json").write_text(json.dumps(again))
    return again


def edit(documents: Path, folders: Mapping[str, str], turn: int) -> str:
    """Change a number in one Markdown document that a row answers with; return its path.

    Args:
        documents: Where the documents lie.
        folders: The dataset of each stage.
        turn: Another turn, another document; up to 19.
    """
    paths = {row["document_id"]: row["path"] for row in _rows(folders["ingestion"])}
    found: list[tuple[Path, str]] = []
    for row in _rows(folders["selection"]):
        path = documents / paths[row["document_id"]]
        if path.suffix == ".md" and _NUMBER.search(row["answer"]) and len(row["answer"]) > 40:
            found.append((path, row["answer"]))
    for path, answer in sorted(found)[turn * len(found) // 20 :]:
        text = path.read_text(encoding="utf-8")
        if text.count(answer) == 1:
            other = _NUMBER.sub(lambda number: str(int(number[0]) + 1), answer)
            path.write_text(text.replace(answer, other), encoding="utf-8")
            return path.relative_to(documents).as_posix()
    raise ValueError("No row's answer with a number stands as it is in a Markdown document.")


def _rows(folder: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(Path(folder) / "kept-00000.parquet").to_pylist()
    return rows


def _in_process(folder: Path) -> dict[str, Any]:
    places = os.environ | {"TEMPER_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    places.pop("PYTHONDONTWRITEBYTECODE", None)  # who builds every night has all modules compiled
    command = [sys.executable, "-m", "benchmarks.increments", "--build", "--folder", str(folder)]
    done = subprocess.run(
        command, env=places, stdout=subprocess.PIPE, check=True, text=True, cwd=ROOT
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def reuse(full: Mapping[str, Any], again: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return for each dataset how many rows it has and how many are equal to rows before."""
    found = {}
    for stage, folder in again["folders"].items():
        before, after = row_hashes(full["folders"][stage]), row_hashes(folder)
        found[stage] = (len(after), len(after & before))
    return found


def row_hashes(folder: str) -> set[bytes]:
    """Return a hash of the Arrow bytes of every row of a dataset, kept or dropped."""
    import pyarrow.parquet as pq

    found = set()
    for name in ("kept-00000.parquet", "dropped-00000.parquet"):
        with pq.ParquetFile(Path(folder) / name) as file:
            for batch in file.iter_batches(1000):
                for row in batch.to_pylist():
                    text = json.dumps([name, row], sort_keys=True, default=str)
                    found.add(hashlib.sha256(text.encode()).digest())
    return found


def render(rows: Mapping[str, Any], count: int, lengths: tuple[int, int]) -> str:
    """Return the page."""
    full, again, reused = rows["full"], rows["again"], rows["reuse"]
    share = again["total"] / full["total"]
    verdict = "reached" if share <= TARGET else "**not** reached"
    names = ("pyarrow", "prefect", "mlflow", "great-expectations")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    spent = [(name, full["spent"][name], again["spent"][name]) for name in full["spent"]]
    spent += [("imports, Prefect, MLflow", full["rest"], again["rest"])]
    spent += [("**all**", full["total"], again["total"])]
    return "\n".join(
        [
            "# One changed document",
            "",
            f"`.venv/bin/python -m benchmarks.increments --documents {count} "
            f"--paragraphs {lengths[0]} {lengths[1]}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores shared "
            f"with other work, Python {platform.python_version()}, {versions}.",
            "",
            f"{count:,} files of {lengths[0]} to {lengths[1]} paragraphs in nine formats "
            f"({rows['words']:.0f} words a document on average), each in words of its own; "
            "profile `default`, rules only. The dataset is built, in "
            f"`{again['changed']}` the numbers of a sentence are changed that is a row's answer, "
            f"and the dataset is built again. The middle one of {len(rows['totals'])} such edits, "
            "one after the other. Processor seconds of the process from start to end, its parsers "
            "included; Prefect's temporary server, which works beside it, is not:",
            "",
            "| stage | full build | one document changed | share of its own |",
            "|---|---:|---:|---:|",
            *(f"| {name} | {a:.2f} | {b:.2f} | {b / max(a, 0.01):.1%} |" for name, a, b in spent),
            "",
            f"The changed build takes {share:.1%} of the full one; the goal of {TARGET:.0%} is "
            f"{verdict}. All edits, s: {', '.join(f'{total:.1f}' for total in rows['totals'])}.",
            "",
            "Rows of the changed build, kept and dropped, and how many of them are equal to a row "
            "of the build before in every column (SHA-256 of the row):",
            "",
            "| dataset | rows | equal to a row before | new or changed |",
            "|---|---:|---:|---:|",
            *(f"| {name} | {n:,} | {m:,} | {n - m} |" for name, (n, m) in reused.items()),
            "",
            remaining(full, again),
            "",
        ]
    )


def remaining(full: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    """Say what stands between the changed build and the goal, by what it spends most on."""
    goal = TARGET * full["total"]
    spent = {**again["spent"], "imports, Prefect, MLflow": again["rest"]}
    ranked = sorted(spent.items(), key=lambda item: -item[1])[:NAMED]
    most = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in ranked)
    over = again["total"] - goal
    missing = f"; {over:.1f} s too many" if over > 0 else ""
    return f"The goal is {goal:.1f} s{missing}. The changed build spends most on: {most}."


if __name__ == "__main__":
    main()
