"""What a dataset is compared with besides its own held-out rows: earlier versions, benchmarks."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from data_contracts.dataset import DatasetRef
from tasks.curation.outside import EARLIER_VERSIONS, OutsideRows
from tasks.interchange.compared import read_compared
from tasks.shared_datasets import take_all
from tasks.splitting.config import SplittingConfig
from tasks.splitting.earlier import SPLITS, earlier_tests


def outside_rows(
    home: Path,
    name: str,
    splitting: SplittingConfig,
    split: DatasetRef,
    benchmarks: Sequence[str],
) -> list[OutsideRows]:
    """Return the test rows of a profile's earlier versions, and the benchmarks it names.

    Args:
        home: Temper's home.
        name: Of the profile.
        splitting: By which this version and the earlier ones were split.
        split: This version, split.
        benchmarks: Files, folders or addresses.

    Raises:
        DatasetError: A benchmark does not exist or cannot be read.
        StorageError: There is a store and it does not answer: it may hold earlier versions.
    """
    take_all(home, SPLITS)
    earlier = earlier_tests(home, name, splitting, split.fingerprint)
    found = [OutsideRows(EARLIER_VERSIONS, earlier, parentage=True)]
    found += [
        OutsideRows(f"benchmark {label}", _rows(path, home), parentage=False)
        for label, path in zip(_labels(benchmarks), benchmarks, strict=True)
    ]
    return [other for other in found if other.rows.num_rows]


def _rows(path: str, home: Path) -> pa.Table:
    return read_compared(path, home / "cache" / "leakage").rows


def _labels(paths: Sequence[str]) -> list[str]:
    """Return the last part of each path, or the whole where that is not unique."""
    last = [path.rstrip("/").rpartition("/")[2] for path in paths]
    return [name if last.count(name) == 1 else path for name, path in zip(last, paths, strict=True)]
