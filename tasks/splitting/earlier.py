"""The test rows of earlier versions of a dataset: what later versions must not train on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.dataset import dataset_fingerprint, read_kept, reference
from data_contracts.schemas import EXAMPLE
from tasks.splitting.config import SplittingConfig
from tasks.splitting.ledger import ledger_path, read_ledger
from tasks.text.recall import RECALL, row_flags
from tasks.versions.find import Version, list_versions

SPLITS = "splitting"

# What tells a version's test rows.
_TOLD_BY = ("example_id", "split", "flags")


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
    found = [EXAMPLE.empty_table()]
    seen: Any = pa.array([], pa.string())
    for version in reversed(list(_earlier(home, name, config, fingerprint))):
        ref = reference(version.folder, version.manifest)
        # most versions hold nothing that a later one does not: their texts stay on the disk
        names = held_out(read_kept(ref, _TOLD_BY))["example_id"].combine_chunks()
        if pc.all(pc.is_in(names, value_set=seen)).as_py():
            continue
        tests = held_out(read_kept(ref))
        found.append(tests.filter(pc.invert(pc.is_in(tests["example_id"], value_set=seen))))
        seen = pa.concat_arrays([seen, names])
    return pa.concat_tables(reversed(found))


def _earlier(home: Path, name: str, config: SplittingConfig, fingerprint: str) -> Iterator[Version]:
    """Yield the versions that the ledger knows and that are older, the newest last."""
    if config.strategy.strategy == "kfold":
        return  # every row is the test of one fold
    made = read_ledger(ledger_path(home, name, config.salt, config.by)).made
    for version in list_versions(home, SPLITS):
        if version.manifest.fingerprint == fingerprint:
            return
        if _source(version) in made:
            yield version


def _source(version: Version) -> str:
    """Return the name under which the ledger keeps a split: what it was made from."""
    manifest = version.manifest
    parents = {role: of for role, of in manifest.parents.items() if role != "previous"}
    return dataset_fingerprint(SPLITS, manifest.stage_version, manifest.config, parents)


def held_out(rows: pa.Table) -> pa.Table:
    """Return the test rows of a split, but for recall questions."""
    mask: Any = pc.equal(rows["split"], pa.scalar("test"))
    tests = rows.filter(mask)
    asked = [RECALL not in flags for flags in row_flags(tests)]
    return tests.filter(pa.array(asked, pa.bool_()))
