"""Times rensa's exact MinHash in a virtual environment of its own; imports nothing of ours.

PYTHON benchmarks/rensa_signatures.py FILE LENGTH PERMUTATIONS

Reads a JSON list of texts and prints the processor seconds per form of call as JSON.
"""

import json
import sys
import time
from pathlib import Path

from rensa import RMinHash


def main() -> None:
    texts = json.loads(Path(sys.argv[1]).read_text())
    length, permutations = int(sys.argv[2]), int(sys.argv[3])
    start = time.process_time()
    for text in texts:
        sketch = RMinHash(permutations, 1)
        sketch.update(shingles(text, length))
        sketch.digest()
    single = time.process_time() - start
    start = time.process_time()
    sets = [shingles(text, length) for text in texts]
    RMinHash.digest_matrix_from_token_sets(sets, permutations, 1)
    print(json.dumps({"update": single, "matrix": time.process_time() - start}))


def shingles(text: str, length: int) -> list[str]:
    words = text.split()
    return [" ".join(words[i : i + length]) for i in range(len(words) - length + 1)]


if __name__ == "__main__":
    main()
