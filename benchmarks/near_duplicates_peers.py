"""Near-duplicates: Temper beside its peers on one corpus with planted copies.

python -m benchmarks.near_duplicates_peers [--sizes 5000 50000 200000] [--limit 90]
    [--folder FOLDER] [--page PAGE.md]

Each peer lives in a virtual environment of its own, made in FOLDER at the first run. All
search the same Parquet file on one core, one after the other, threshold 0.8. What would
take more than LIMIT seconds, judged by the size before, is left out.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.planted_documents import write_families

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results" / "near-duplicates-peers.md"
SCRIPT = Path(__file__).with_name("near_duplicates_peer_runs.py")
SEED, WORDS = 11, 60

# What pip is asked for, in one step after the other.
PEERS: dict[str, list[list[str]]] = {
    "rensa": [["rensa", "pyarrow"]],
    # With xxhash 3.8 and 4 it fails: "Strings must be encoded before hashing".
    "datatrove": [["datatrove", "pyarrow", "spacy", "orjson", "regex", "tokenizers", "xxhash<3.7"]],
    # Its requirements do not resolve here in five minutes (pyspark, unisim, urllib3<=2.0), and
    # its MinHash uses few of them.
    "text-dedup": [
        ["--no-deps", "text-dedup"],
        [
            "datasets",
            "click<9",
            "click-option-group<0.6",
            "scipy",
            "xxhash",
            "ftfy",
            "regex",
            "rich<14",
        ],
        ["bitarray", "psutil", "pybloom-live", "zstandard", "setuptools"],
    ],
    "semhash": [["semhash", "pyarrow"]],
    "verascan": [["verascan", "pyarrow"]],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5_000, 50_000, 200_000])
    parser.add_argument("--limit", type=float, default=90, help="seconds of processor time")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "peers")
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    pythons = {"Temper": Path(sys.executable)}
    pythons |= {peer: environment(arguments.folder / peer, peer) for peer in PEERS}
    rows: list[dict[str, Any]] = []
    for size in arguments.sizes:
        rows += compare(size, pythons, rows, arguments.limit)
    versions = {peer: version(python, peer) for peer, python in pythons.items() if peer in PEERS}
    text = render(rows, versions, arguments)
    arguments.page.write_text(text)
    print(text)


def environment(folder: Path, peer: str) -> Path:
    """Return the interpreter of a peer's virtual environment, made if it is not there."""
    python = folder / "bin" / "python"
    if not python.is_file():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        for packages in PEERS[peer]:
            install = [str(python), "-m", "pip", "install", "-q", *packages]
            subprocess.run(install, check=True)
    return python


def version(python: Path, peer: str) -> str:
    code = f"from importlib.metadata import version; print(version({peer!r}))"
    done = subprocess.run([str(python), "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def compare(
    size: int, pythons: dict[str, Path], before: Sequence[dict[str, Any]], limit: float
) -> list[dict[str, Any]]:
    """Run all on a corpus of this size."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "documents.parquet"
        write_families(file, size, WORDS, SEED)
        families = [name[:9] for name in pq.read_table(file).column("id").to_pylist()]
        rows = []
        for peer, python in pythons.items():
            row: dict[str, Any] = {"peer": peer, "size": size}
            known = [old for old in before if old["peer"] == peer]
            expected = known[-1].get("processor", limit) * size / known[-1]["size"] if known else 0
            row |= {"skipped": True} if expected > limit else run(peer, python, file, families)
            rows.append(row)
            print(json.dumps(row), flush=True)
        return rows


def run(peer: str, python: Path, file: Path, families: list[str]) -> dict[str, Any]:
    """Search in a process of its own; return figures and what is right."""
    folder, out = file.parent / f"work-{peer}", file.parent / "out.json"
    folder.mkdir()
    one = dict.fromkeys(("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    settings = os.environ | one | {"HF_HOME": str(folder), "HF_HUB_OFFLINE": "1"}
    settings["PYTHONPATH"] = str(ROOT) if peer == "Temper" else ""
    command = [str(python), str(SCRIPT), peer, str(file), str(folder), str(out)]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    shutil.rmtree(folder)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:200]}
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures | judged(families, figures.pop("labels"))


def judged(families: Sequence[str], labels: Sequence[Any]) -> dict[str, Any]:
    """Compare clusters with the planted families, by pairs of documents within them."""

    def pairs(counts: Counter[Any]) -> int:
        return sum(n * (n - 1) // 2 for n in counts.values())

    found, planted = Counter(labels), Counter(families)
    both = pairs(Counter(zip(families, labels, strict=True)))
    return {
        "clusters": sum(n > 1 for n in found.values()),
        "families": sum(n > 1 for n in planted.values()),
        "recall": both / pairs(planted),
        "precision": both / max(1, pairs(found)),
    }


def _line(row: dict[str, Any]) -> str:
    start = f"| {row['size']:,} | {row['peer']} |"
    if row.get("skipped"):
        return f"{start} over the limit | | | | | |"
    if "failed" in row:
        return f"{start} failed: {row['failed']} | | | | | |"
    return (
        f"{start} {row['processor']:.1f} | {row['size'] / row['processor']:,.0f} | "
        f"{row['wall']:.0f} | {row['memory'] / 1e6:,.0f} | "
        f"{row['clusters']:,} of {row['families']:,} | "
        f"{row['recall']:.4f} / {row['precision']:.4f} |"
    )


def render(
    rows: Sequence[dict[str, Any]], versions: dict[str, str], arguments: argparse.Namespace
) -> str:
    """Return the page."""
    told = ", ".join(f"{peer} {number}" for peer, number in versions.items())
    return "\n".join(
        [
            "# Near-duplicates: Temper beside its peers",
            "",
            "`.venv/bin/python -m benchmarks.near_duplicates_peers "
            f"--sizes {' '.join(map(str, arguments.sizes))} --limit {arguments.limit:g}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}, {told}.",
            "",
            "| documents | | processor s | documents/s | wall s | peak memory, MB | clusters | "
            "recall / precision |",
            "|---:|---|---:|---:|---:|---:|---:|---:|",
            *map(_line, rows),
            "",
            NOTES.format(words=WORDS, limit=arguments.limit),
            "",
        ]
    )


NOTES = """\
Documents of {words} random words; a twentieth have one to three copies, exact or with one word
replaced. Recall and precision count pairs of documents in one cluster against pairs in one
planted family. Processor time without imports, one thread; memory with them, mapped files
included. Wall time says little where the machine is shared. "Over the limit": more than {limit:g}
s, by the figure of the size before.

What each does, and where it is not the same work:

- **Temper** (`temper deduplicate`, one process): 5-word shingles, 128 permutations, bands for
  99.9 % recall at the threshold, candidates verified by true Jaccard similarity; everything on
  disk.
- **rensa** (`RMinHashDeduplicator`): the same shingles and permutations in Rust, in memory. It is
  ahead in time, two to three times: nothing is verified, written or sorted. Documents are compared
  by estimated similarity with those kept so far: the order of the input decides, and a copy of
  true similarity 0.836 is estimated below 0.8 in about one case of seven.
- **text-dedup** (`text_dedup.minhash`, xxh3): candidates are not verified; its bands follow the
  threshold.
- **datatrove** (its three MinHash stages, local executor): 14 buckets of 8 hashes, its own
  choice; it has no threshold and does not verify.
- **semhash**: finds by embeddings. No model can be had here, so it was given hashed counts of the
  same shingles as vectors (256 numbers) and the cosine that belongs to Jaccard 0.8. Its own
  models would find rewordings, which MinHash does not.
- **verascan** (`check` of the corpus with itself): made to compare a test set with training data;
  characters, not words, are its shingles, one Python call each.
"""

if __name__ == "__main__":
    main()
