"""How many planted leaks the detectors find, and how often they raise a false alarm.

    python -m benchmarks.leak_detection --dataset FOLDER [--unrelated FOLDER] [--planted 2000]

FOLDER is a finished dataset (`.temper/datasets/augmentation/...`). Leaks of each kind are made
from its rows (`tasks/curation/planters.py`) and compared with the rows they came from. The peers
verascan and dataset-leakcheck are installed into an environment of their own (`--peers`, a folder)
and read the same texts.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.results import PlantedLeaks
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.curation.config import CurationConfig
from tasks.curation.planted import measure_detectors, plant, unrelated_rows
from tasks.curation.planters import PLANTERS
from tasks.interchange.compared import read_compared
from tasks.text.detectors import text_detectors
from tasks.text.overlap import closest_by_cosine, closest_by_jaccard
from tasks.text.rows import RowTexts, shingle_features

PAGE = Path("docs/results/leak-detection.md")
TEMPER = "temper check-leakage"
PEERS = ("verascan", "dataset-leakcheck")
# Rows of training and test; of the test rows so many are measured.
SCALE, SCALE_PART = (200_000, 10_000), 500
PARENTAGE_ONLY = ("paraphrase", "other_question")


def read_dataset(folder: Path) -> pa.Table:
    """Return the rows of a finished dataset, of an older schema too."""
    files = sorted(folder.glob("kept-*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return pa.Table.from_pylist([blank_row(EXAMPLE) | row for row in rows], EXAMPLE)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def own_table(found: PlantedLeaks) -> list[str]:
    """Return recall by kind and false alarms, a line for each detector."""
    kinds = list(found.planted)
    rows = [
        [
            "**any**" if item.detector == "any" else item.detector,
            *(percent(item.by_kind[kind]) for kind in kinds),
            percent(item.false_alarms),
        ]
        for item in found.detectors
    ]
    heads = ["detector", *(kind.replace("_", " ") for kind in kinds), "false alarms"]
    return table(heads, [["planted", *found.planted.values(), found.unrelated], *rows])


def strangers(examples: pa.Table, others: pa.Table, config: CurationConfig) -> tuple[int, int]:
    """Return how many rows some detector calls close to a row of an unrelated dataset."""
    rows = pa.concat_tables([examples, others])
    ours = np.arange(examples.num_rows, dtype=np.int64)
    theirs = np.arange(examples.num_rows, rows.num_rows, dtype=np.int64)
    hit = np.zeros(ours.size, bool)
    for detector in text_detectors(RowTexts(rows), config.similarity):
        hit |= detector.closest(ours, theirs).value >= detector.threshold
    return int(hit.sum()), int(ours.size)


def write_texts(path: Path, rows: pa.Table) -> Path:
    """Write question and answer of each row as a line of JSON, for any tool to read."""
    lines = (json.dumps({"text": text}) + "\n" for text in RowTexts(rows).said)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def temper_hits(train: Path, test: Path, cache: Path) -> set[int]:
    """Return the test records that `temper check-leakage` names."""
    from flows.leakage import check_leakage

    sides = read_compared(str(train), cache), read_compared(str(test), cache)
    found = check_leakage(*sides, "test", CurationConfig(planted=0))
    return {int(name.rpartition("#")[2]) - 1 for name in found.given_away}


def install_peers(folder: Path) -> dict[str, str]:
    """Install the peers into an environment of their own; return versions, or why there is none."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    found = {}
    for peer in PEERS:
        done = subprocess.run([*pip, "install", "-q", peer], capture_output=True, text=True)
        shown = subprocess.run([*pip, "show", peer], capture_output=True, text=True).stdout
        version = [line for line in shown.splitlines() if line.startswith("Version: ")]
        reason = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        found[peer] = version[0][9:] if version else f"not installable: {reason[-1][7:]}"
    return found


def verascan_hits(command: str, methods: str, train: Path, test: Path, folder: Path) -> set[int]:
    """Return the test records that verascan names."""
    out = folder / "verascan.json"
    arguments = ["check", "-t", train, "-e", test, "-m", methods, "--no-progress", "-o", out]
    run = [command, *map(str, arguments)]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
    report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return {int(match["eval_index"]) for match in report["matches"]}


def side_by_side(
    examples: pa.Table, count: int, config: CurationConfig, verascan: str | None
) -> list[str]:
    """Return the same files read by every tool: bare texts, no parentage."""
    tools = [TEMPER, *(["exact,fuzzy", "exact,ngram,fuzzy"] if verascan else [])]
    names = [TEMPER, *(f"verascan {methods}" for methods in tools[1:])]
    plants = plant(examples, range(examples.num_rows), count, config.seed)
    kinds = np.array(plants.kinds, dtype=object)
    lines = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def shares(train: pa.Table, test: pa.Table) -> list[str]:
            files = (
                write_texts(folder / "train.jsonl", train),
                write_texts(folder / "test.jsonl", test),
            )
            hits = [
                temper_hits(*files, folder)
                if tool == TEMPER
                else verascan_hits(str(verascan), tool, *files, folder)
                for tool in tools
            ]
            return [percent(len(found) / test.num_rows) for found in hits]

        for kind in PLANTERS:
            if kind in PARENTAGE_ONLY:
                continue
            chosen = np.flatnonzero(kinds == kind)
            sources = examples.take(pa.array(plants.sources[chosen], pa.int64()))
            found = shares(plants.rows.take(pa.array(chosen, pa.int64())), sources)
            lines.append([kind.replace("_", " "), chosen.size, *found])
        rows, others = unrelated_rows(examples, np.arange(examples.num_rows), count, config.seed)
        alarms = shares(
            examples.take(pa.array(others, pa.int64())), examples.take(pa.array(rows, pa.int64()))
        )
        lines.append(["**false alarms**, unrelated rows", rows.size, *alarms])
    return table(["kind", "rows", *names], lines)


def made_up(words: Sequence[str], rows: int, seed: int) -> list[str]:
    """Return texts of 40 words in runs of 5 of real words: they share what real texts share."""
    starts = np.random.default_rng(seed).integers(0, len(words) - 5, (rows, 8))
    return [" ".join(" ".join(words[at : at + 5]) for at in row) for row in starts.tolist()]


def at_scale(examples: pa.Table, config: CurationConfig) -> list[str]:
    """Measure the costliest comparisons on a part of a large test side."""
    words = [word for text in RowTexts(examples).said for word in text.split()]
    train, test = (
        shingle_features(made_up(words, rows, seed), config.similarity)
        for seed, rows in enumerate((SCALE[0], SCALE_PART))
    )
    random = np.random.default_rng(1)
    vectors = [random.normal(size=(rows, 384)).astype(np.float32) for rows in (*SCALE,)]
    timed: dict[str, Callable[[], object]] = {
        "near_duplicate (5-character shingles)": lambda: closest_by_jaccard(test, train),
        "embedding (384 numbers)": lambda: closest_by_cosine(
            list(vectors[1][:SCALE_PART]), list(vectors[0])
        ),
    }
    lines = []
    for name, compare in timed.items():
        started = time.process_time()
        compare()
        seconds = time.process_time() - started
        whole = seconds * SCALE[1] / SCALE_PART
        lines.append([name, f"{seconds:.1f} s", f"{whole:.0f} s"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    heads = ["comparison", f"{SCALE_PART:,} test rows", f"{SCALE[1]:,}, in proportion"]
    return [
        f"{SCALE[0]:,} training rows of 40 words (runs of 5 from this dataset), processor time on "
        f"one core, every pair that shares anything compared; peak memory {peak:.1f} GiB.",
        "",
        *table(heads, lines),
    ]


def page(options: argparse.Namespace) -> str:
    examples, config = read_dataset(options.dataset), CurationConfig(planted=options.planted)
    peers = install_peers(options.peers)
    verascan = str(options.peers / "bin" / "verascan") if peers["verascan"][0].isdigit() else None
    every = np.arange(examples.num_rows, dtype=np.int64)
    found = measure_detectors(examples, every, every, config)
    if found is None:
        raise SystemExit(f"{options.dataset} holds no rows.")
    lines = [
        "# Leak detection",
        "",
        f"Made by `python -m benchmarks.leak_detection` on {datetime.now(UTC):%Y-%m-%d}, Python "
        f"{platform.python_version()}, {platform.machine()}: {options.planted} leaks planted "
        f"against {examples.num_rows} rows of the dataset `{options.dataset.name[:12]}`.",
        "",
        "## Recall by kind, detectors of the audit",
        "",
        *own_table(found),
    ]
    if options.unrelated:
        hit, rows = strangers(examples, read_dataset(options.unrelated), config)
        lines += [
            "",
            f"Against a dataset on another subject (`{options.unrelated.name[:12]}`): "
            f"{hit} false alarms on {rows} rows.",
        ]
    lines += [
        "",
        "## The same texts as bare files",
        "",
        "JSON lines with a field `text` (question and answer), no parentage; the share of test "
        "rows that each tool names.",
        "",
        *side_by_side(examples, options.planted, config, verascan),
        "",
        "Peers: " + "; ".join(f"{name} {version}" for name, version in peers.items()) + ".",
        "",
        "## Large sides",
        "",
        *at_scale(examples, config),
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--unrelated", type=Path)
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "temper-peers")
    parser.add_argument("--planted", type=int, default=2_000)
    text = page(parser.parse_args())
    notes = PAGE.read_text(encoding="utf-8").partition("\n## Notes")[2] if PAGE.exists() else ""
    PAGE.write_text(text + ("\n## Notes" + notes if notes else ""), encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
