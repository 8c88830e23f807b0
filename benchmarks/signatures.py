"""MinHash signatures: documents a second against datasketch and rensa; recall and precision.

python -m benchmarks.signatures [--documents 4000] [--rounds 5] [--rensa PYTHON]
    [--page PAGE.md]

PYTHON is the interpreter of a virtual environment with rensa, which is not ours to install.
All begin with the text and end with a signature of 128 permutations of 5-word shingles;
in every round each is run once, one after the other, on one core, in processor time.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median

import numpy as np
from datasketch import MinHash, MinHashLSH
from xxhash import xxh32_intdigest

from benchmarks.planted_documents import edited, vocabulary
from tasks.curation.pairs import similar_pairs
from tasks.text.hash_rows import HashRows
from tasks.text.overlap import incidence
from tasks.text.shingle_batch import normal_words, word_shingles
from tasks.text.shingles import word_ngrams
from tasks.text.signatures import signatures

PAGE = Path(__file__).parent.parent / "docs" / "results" / "signatures.md"
SEED, WORDS, LENGTH, PERMUTATIONS, THRESHOLD = 5, 150, 5, 128, 0.8
PLANTED = 2_000

Pairs = set[tuple[int, int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rensa", type=Path, help="interpreter that can import rensa")
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    random = Random(SEED)
    known = vocabulary(random)
    texts = [" ".join(random.choices(known, k=WORDS)) for _ in range(arguments.documents)]
    speeds = measure(texts, arguments.rounds, arguments.rensa)
    text = render(speeds, found_pairs(planted(random, known)), arguments)
    arguments.page.write_text(text)
    print(text)


def shingles(text: str) -> list[bytes]:
    words = text.encode().split()
    return [b" ".join(words[i : i + LENGTH]) for i in range(len(words) - LENGTH + 1)]


def ours(texts: Sequence[str]) -> None:
    for start in range(0, len(texts), 1_000):
        words = [normal_words(text) for text in texts[start : start + 1_000]]
        signatures(word_shingles(words, LENGTH), PERMUTATIONS, seed=1)


def update_batch(texts: Sequence[str]) -> None:
    for text in texts:
        MinHash(PERMUTATIONS).update_batch(shingles(text))


def bulk(texts: Sequence[str]) -> None:
    MinHash.bulk(map(shingles, texts), num_perm=PERMUTATIONS)


def bulk_xxhash(texts: Sequence[str]) -> None:
    MinHash.bulk(
        map(shingles, texts), num_perm=PERMUTATIONS, hashfunc=xxh32_intdigest, scheme="affine32"
    )


CONTENDERS: dict[str, Callable[[Sequence[str]], None]] = {
    "Temper": ours,
    "datasketch `update_batch`": update_batch,
    "datasketch `bulk`": bulk,
    "datasketch `bulk`, xxhash, affine32": bulk_xxhash,
}


def measure(texts: Sequence[str], rounds: int, rensa: Path | None) -> dict[str, list[float]]:
    """Return documents a second of every round."""
    speeds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "texts.json"
        file.write_text(json.dumps(texts))
        for _ in range(rounds):
            for contender, run in CONTENDERS.items():
                start = time.process_time()
                run(texts)
                seconds = time.process_time() - start
                speeds.setdefault(contender, []).append(len(texts) / seconds)
            for form, seconds in _rensa(rensa, file).items():
                speeds.setdefault(f"rensa `{form}`", []).append(len(texts) / seconds)
    return speeds


def _rensa(python: Path | None, file: Path) -> dict[str, float]:
    if python is None:
        return {}
    script = Path(__file__).with_name("rensa_signatures.py")
    command = [str(python), str(script), str(file), str(LENGTH), str(PERMUTATIONS)]
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds


def planted(random: Random, known: list[str]) -> list[str]:
    """Make documents in families of four: an original and copies with up to six words replaced."""
    texts: list[str] = []
    while len(texts) < PLANTED:
        words = random.choices(known, k=WORDS)
        copies = [edited(words, random.randint(0, 6), random, known) for _ in range(3)]
        texts += [" ".join(copy) for copy in (words, *copies)]
    return texts


def found_pairs(texts: Sequence[str]) -> dict[str, tuple[Pairs, Pairs]]:
    """Return the pairs each finds, with the true ones by brute force."""
    sets = HashRows.of(word_ngrams(text, LENGTH) for text in texts)
    matrix = incidence(sets, np.unique(sets.hashes))
    shared = (matrix @ matrix.T).tocoo()
    sizes = sets.sizes
    jaccard = shared.data / (sizes[shared.row] + sizes[shared.col] - shared.data)
    keep = (jaccard >= THRESHOLD) & (shared.row < shared.col)
    truth = set(zip(shared.row[keep].tolist(), shared.col[keep].tolist(), strict=True))
    own = {(p.left, p.right) for p in similar_pairs(sets, THRESHOLD, PERMUTATIONS, seed=1)}
    return {"Temper": (own, truth), "datasketch MinHashLSH": (_lsh(texts), truth)}


def _lsh(texts: Sequence[str]) -> Pairs:
    lsh, found = MinHashLSH(THRESHOLD, PERMUTATIONS), set()
    sketches = MinHash.bulk(map(shingles, texts), num_perm=PERMUTATIONS)
    for right, sketch in enumerate(sketches):
        found |= {(left, right) for left in lsh.query(sketch)}
        lsh.insert(right, sketch)
    return found


def render(
    speeds: dict[str, list[float]],
    pairs: dict[str, tuple[Pairs, Pairs]],
    arguments: argparse.Namespace,
) -> str:
    """Return the page."""
    own = speeds["Temper"]
    rows = []
    for name, values in speeds.items():
        ratio = median(a / b for a, b in zip(own, values, strict=True))
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        rows.append(f"| {name} | {median(values):,.0f} | {spread} | {ratio:.2f} |")
    found_rows = [
        f"| {name} | {len(found):,} | {len(truth):,} | {len(found & truth) / len(truth):.4f} | "
        f"{len(found & truth) / len(found):.4f} |"
        for name, (found, truth) in pairs.items()
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "datasketch", "xxhash"))
    rensa = " --rensa PYTHON" if arguments.rensa else ""
    return "\n".join(
        [
            "# MinHash signatures",
            "",
            f"`.venv/bin/python -m benchmarks.signatures --documents {arguments.documents} "
            f"--rounds {arguments.rounds}{rensa}`, {datetime.now(UTC):%Y-%m-%d}, "
            f"{platform.machine()}, one of {os.cpu_count()} cores, Python "
            f"{platform.python_version()}, {versions}.",
            "",
            "| | documents per processor s, median | from round to round | Temper is faster by |",
            "|---|---:|---:|---:|",
            *rows,
            "",
            f"{arguments.documents:,} documents of {WORDS} random words, {LENGTH}-word shingles, "
            f"{PERMUTATIONS} permutations, from text to signature; all contenders in turn in "
            "each round, the last column is the median of the rounds' ratios. Temper also "
            "normalises the text, the others split it at spaces. Its signatures equal those of "
            "datasketch's affine32 bit for bit (tests/unit/text/test_signatures.py). rensa's "
            "`rho` forms sample the tokens and are left out: their signatures are not those of "
            "the whole set.",
            "",
            f"## Pairs at Jaccard similarity {THRESHOLD}",
            "",
            "| | pairs found | true pairs | recall | precision |",
            "|---|---:|---:|---:|---:|",
            *found_rows,
            "",
            f"{PLANTED:,} documents in families of four, copies with up to six words replaced; "
            "true pairs by brute force. Temper verifies its candidates; MinHashLSH by itself "
            "returns candidates, at its own choice of bands.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
