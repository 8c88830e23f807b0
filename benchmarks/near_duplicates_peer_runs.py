"""Runs one search for near-duplicates in a virtual environment; imports nothing of ours at the top.

PYTHON benchmarks/near_duplicates_peer_runs.py NAME FILE.parquet FOLDER OUT.json

Imports come first and are not counted. Writes processor time, wall time, peak memory and
for each document the number of its cluster.
"""

import json
import os
import pickle
import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

THRESHOLD, PERMUTATIONS, LENGTH = 0.8, 128, 5
Labels = list[Any]
Search = Callable[[Path, Path], Labels]


def main() -> None:
    name, file, folder, out = sys.argv[1], *map(Path, sys.argv[2:])
    search = PEERS[name]()
    wall, used = time.perf_counter(), os.times()
    labels = search(file, folder)
    after = os.times()
    memory = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    result = {
        "processor": sum(after[:4]) - sum(used[:4]),
        "wall": time.perf_counter() - wall,
        "memory": memory * 1024,
        "labels": labels,
    }
    out.write_text(json.dumps(result))


def read(file: Path, column: str) -> list[str]:
    values: list[str] = pq.read_table(file, columns=[column]).column(0).to_pylist()
    return values


def shingles(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[i : i + LENGTH]) for i in range(len(words) - LENGTH + 1)]


def clusters(count: int, pairs: list[tuple[int, int]]) -> Labels:
    """Return for each document the smallest of its cluster."""
    parents = list(range(count))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = row = parents[parents[row]]
        return row

    for left, right in pairs:
        first, second = sorted((root(left), root(right)))
        parents[second] = first
    return [root(row) for row in range(count)]


def temper() -> Search:
    import datasketch  # noqa: F401 - the search imports it when it starts; here it is not counted

    from tasks.near_duplicates.config import NearDuplicatesConfig
    from tasks.near_duplicates.find import find_near_duplicates
    from tasks.near_duplicates.reading import document_files

    def search(file: Path, folder: Path) -> Labels:
        config = NearDuplicatesConfig(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        found = find_near_duplicates(document_files([file]), folder, config)
        names = {name: row for row, name in enumerate(read(file, "id"))}
        table = pq.read_table(found.path).select(["id", "duplicate_of"]).to_pydict()
        pairs = zip(table["id"], table["duplicate_of"], strict=True)
        return clusters(len(names), [(names[left], names[right]) for left, right in pairs])

    return search


def rensa() -> Search:
    from rensa import RMinHash, RMinHashDeduplicator

    def search(file: Path, folder: Path) -> Labels:
        texts, pairs = read(file, "text"), []
        deduplicator = RMinHashDeduplicator(THRESHOLD, PERMUTATIONS, True)
        for row, text in enumerate(texts):
            sketch = RMinHash(PERMUTATIONS, 42)
            sketch.update(shingles(text))
            found = deduplicator.get_duplicates(sketch)
            if found:
                pairs += [(row, int(other)) for other in found]
            else:
                deduplicator.add(str(row), sketch)
        return clusters(len(texts), pairs)

    return search


def semhash() -> Search:
    import numpy as np
    from semhash import SemHash

    class Hashed:
        """5-word shingles as a vector of 256 hashed counts, as no model can be had here."""

        def encode(self, inputs: Any, **_: Any) -> Any:
            vectors = np.zeros((len(inputs), 256), np.float32)
            for row, text in enumerate(inputs):
                codes = np.array([zlib.crc32(s.encode()) for s in set(shingles(text))])
                np.add.at(vectors[row], codes & 255, np.where(codes >> 16 & 1, 1.0, -1.0))
            return vectors

    def search(file: Path, folder: Path) -> Labels:
        texts, names = read(file, "text"), read(file, "id")
        records = [{"id": n, "text": t} for n, t in zip(names, texts, strict=True)]
        index = SemHash.from_records(records, columns=["text"], model=Hashed())
        # Sets of one size with Jaccard similarity s have the cosine 2s / (1 + s).
        found = index.self_deduplicate(threshold=2 * THRESHOLD / (1 + THRESHOLD))
        rows = {name: row for row, name in enumerate(names)}
        pairs = [(rows[d.record["id"]], rows[d.duplicate_of["id"]]) for d in found.filtered]
        return clusters(len(names), pairs)

    return search


def verascan() -> Search:
    from verascan import check

    def search(file: Path, folder: Path) -> Labels:
        texts = read(file, "text")
        found = check(texts, texts, threshold=THRESHOLD, num_perm=PERMUTATIONS, show_progress=False)
        return clusters(len(texts), [(m.train_index, m.eval_index) for m in found.matches])

    return search


def datatrove() -> Search:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
    )
    from datatrove.pipeline.readers import ParquetReader

    def search(file: Path, folder: Path) -> Labels:
        config = MinhashConfig()  # 14 buckets of 8: its own choice for similar documents

        def run(name: str, tasks: int, *steps: Any) -> None:
            logs = str(folder / f"logs-{name}")
            LocalPipelineExecutor(list(steps), tasks=tasks, workers=1, logging_dir=logs).run()

        reader = ParquetReader(str(file.parent), glob_pattern=file.name)
        sketched, pairs, removed = (str(folder / name) for name in ("sketches", "pairs", "removed"))
        run("1", 1, reader, MinhashDedupSignature(sketched, config))
        run("2", config.num_buckets, MinhashDedupBuckets(sketched, pairs, config=config))
        run("3", 1, MinhashDedupCluster(pairs, removed, config=config, save_cluster_id=True))
        labels: Labels = [-1 - row for row in range(pq.read_metadata(file).num_rows)]
        for path in Path(removed).glob("*.clusters"):
            for row, cluster in struct.iter_unpack("<II", path.read_bytes()):
                labels[row] = cluster
        return labels

    return search


def text_dedup() -> Search:
    from text_dedup.minhash import main as minhash

    def search(file: Path, folder: Path) -> Labels:
        options = {
            "path": "parquet", "data_files": file, "split": "train", "column": "text",
            "cache_dir": folder / "cache", "output": folder / "kept", "num_proc": 1,
            "ngram": LENGTH, "threshold": THRESHOLD, "num_perm": PERMUTATIONS,
        }  # fmt: skip
        given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        minhash([*given, "--debug", "--hash_func", "xxh3"], standalone_mode=False)
        joined = pickle.loads((folder / "kept" / "uf.pkl").read_bytes())
        return [joined.find(row) for row in range(pq.read_metadata(file).num_rows)]

    return search


PEERS: dict[str, Callable[[], Search]] = {
    "Temper": temper,
    "rensa": rensa,
    "semhash": semhash,
    "verascan": verascan,
    "datatrove": datatrove,
    "text-dedup": text_dedup,
}

if __name__ == "__main__":
    main()
