"""The test rows of earlier versions of a dataset: what later versions must not train on."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.dataset import dataset_fingerprint, read_kept, reference
from data_contracts.schemas import EXAMPLE
from tasks.splitting.config import SplittingConfig
from tasks.splitting.ledger import ledger_path, read_ledger
from tasks.text.recall import RECALL, row_flags
from tasks.text.rows import strings
from tasks.versions.find import Version, list_versions

_STAGE = "splitting"


def earlier_tests(home: Path, name: str, config: SplittingConfig, fingerprint: str) -> pa.Table:
    """Return the test rows of all splits that were made under a name before this one.

    Recall questions are left out: their facts are trained on purpose. Of rows with the same
    identifier the latest is returned. Splits that were deleted since are not looked at.

    Args:
        home: Temper's home.
        name: Of the profile.
        config: Salt and what is held out: they belong to the name.
        fingerprint: Of the split that is not earlier.
    """
    rows = EXAMPLE.empty_table()
    for version in _earlier(home, name, config, fingerprint):
        tests = held_out(read_kept(reference(version.folder, version.manifest)))
        again = pc.is_in(rows["example_id"], value_set=tests["example_id"].combine_chunks())
        rows = pa.concat_tables([rows.filter(pc.invert(again)), tests])
    return rows


def _earlier(home: Path, name: str, config: SplittingConfig, fingerprint: str) -> Iterator[Version]:
    """Yield the versions that the ledger knows and that are older, the newest last."""
    if config.strategy.strategy == "kfold":
        return  # every row is the test of one fold
    made = read_ledger(ledger_path(home, name, config.salt, config.by)).made
    for version in list_versions(home, _STAGE):
        if version.manifest.fingerprint == fingerprint:
            return
        if _source(version) in made:
            yield version


def _source(version: Version) -> str:
    """Return the name under which the ledger keeps a split: what it was made from."""
    manifest = version.manifest
    parents = {role: of for role, of in manifest.parents.items() if role != "previous"}
    return dataset_fingerprint(_STAGE, manifest.stage_version, manifest.config, parents)


def held_out(rows: pa.Table) -> pa.Table:
    """Return the test rows of a split, but for recall questions."""
    splits, flags = strings(rows, "split"), row_flags(rows)
    tests = [
        at
        for at, (split, found) in enumerate(zip(splits, flags, strict=True))
        if split == "test" and RECALL not in found
    ]
    return rows.take(pa.array(tests, pa.int64()))
