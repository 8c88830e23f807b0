"""A dataset curated and audited after an edit is that of a fresh start, bit for bit."""

import contextlib
from random import Random

import pyarrow.compute as pc
import pytest

from data_contracts.dataset import content_sha256
from tasks.curation.audit import audit_leakage
from tasks.curation.config import CurationConfig
from tasks.curation.curate import curate_examples
from tasks.curation.outside import EARLIER_VERSIONS, OutsideRows
from tasks.text.config import SimilarityConfig
from tasks.text.detectors import Detector
from tasks.text.remembered import features, remembering, sharing_features
from tasks.text.shingles import character_shingles

WORDS = [f"{a}{b}" for a in ("bol", "gan", "lin", "mar", "sten", "wha") for b in "aeiou"]
SPLITS = ("train", "train", "train", "validation", "test")
# Template text from few documents on, so that an edit can make or unmake it.
CONFIG = CurationConfig(
    planted=20, similarity=SimilarityConfig(template_documents=4, template_share=0.01)
)


def sentence(random):
    return " ".join(random.choices(WORDS, k=random.randrange(9, 16))) + f" {random.randrange(9)}."


def make_row(random, number, stock):
    """Make a row of its own words, or of those that others use too."""
    said = random.choice(stock) if random.random() < 0.7 else sentence(random)
    split = random.choice(SPLITS)
    return {
        "example_id": f"row-{number:03}",
        "document_id": f"doc-{number // 2:03}",
        "chunk_id": f"chunk-{number // 2:03}",
        "question": f"What of {random.choice(WORDS)} {random.choice(WORDS)}?",
        "answer": f"{said} {sentence(random)}" if random.random() < 0.3 else said,
        "context": random.choice([None, random.choice(stock)]),
        "split": split,
        "group_id": f"grp-{number // 2:03}",
    }


def edited(random, rows, stock):
    """Change, remove and add a few rows, or put two in another order."""
    rows = [dict(row) for row in rows]
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(rows))
        action = random.choice(["change", "remove", "add", "swap"])
        if action == "change":
            rows[at]["answer"] = random.choice([sentence(random), random.choice(stock)])
        elif action == "remove":
            del rows[at]
        elif action == "add":
            rows.insert(at, make_row(random, 500 + random.randrange(400), stock))
        else:
            rows[at], rows[-1] = rows[-1], rows[at]
    return list({row["example_id"]: row for row in rows}.values())


def outcome(rows, earlier):
    curated = curate_examples(rows, CONFIG)
    tables = [content_sha256(curated.kept), content_sha256(curated.dropped)]
    outside = [OutsideRows(EARLIER_VERSIONS, earlier, parentage=True)]
    return tables, curated.figures, audit_leakage(rows, CONFIG, outside)


@pytest.mark.parametrize("seed", range(6))
def test_after_an_edit_the_result_is_that_of_a_fresh_start(tmp_path, table, seed):
    random = Random(seed)
    stock = [sentence(random) for _ in range(12)]
    rows = [make_row(random, number, stock) for number in range(60)]
    earlier = table([row for row in rows if row["split"] == "test"])
    for _ in range(5):
        with remembering(tmp_path):
            found = outcome(table(rows), earlier)
        assert found == outcome(table(rows), earlier)
        rows = edited(random, rows, stock)


def test_test_rows_of_an_earlier_version_that_are_still_there_are_not_compared_again(
    tmp_path, table, monkeypatch
):
    random = Random(2)
    stock = [sentence(random) for _ in range(12)]
    rows = table([make_row(random, number, stock) for number in range(60)])
    tests = rows.filter(pc.field("split") == "test")
    compared = []
    closest = Detector.closest

    def counted(self, ours, *others):
        compared.append(ours.size)
        return closest(self, ours, *others)

    monkeypatch.setattr(Detector, "closest", counted)
    for outside in ([], [OutsideRows(EARLIER_VERSIONS, tests, parentage=True)]):
        compared.append(-1)
        with remembering(tmp_path):
            audit_leakage(rows, CONFIG, outside)
    again = compared[compared.index(-1, 1) + 1 :]
    assert tests.num_rows > 5
    assert tests.num_rows not in again


def test_what_is_gone_is_forgotten(tmp_path, table):
    random = Random(1)
    stock = [sentence(random) for _ in range(12)]
    rows = [make_row(random, number, stock) for number in range(60)]
    sizes = []
    for part in (rows, rows[:20], rows[:20]):
        with remembering(tmp_path):
            curate_examples(table(part), CONFIG)
        files = {path.name: path.stat() for path in tmp_path.iterdir()}
        sizes.append({name: (file.st_size, file.st_mtime_ns) for name, file in files.items()})
    assert sum(size for size, _ in sizes[1].values()) < sum(n for n, _ in sizes[0].values()) / 2
    assert sizes[2] == sizes[1]  # nothing was new, nothing is written


def test_stages_that_share_features_find_what_each_finds_alone(tmp_path, table):
    random = Random(3)
    stock = [sentence(random) for _ in range(12)]
    rows = [make_row(random, number, stock) for number in range(60)]
    for _ in range(4):
        with sharing_features(tmp_path / "shared"):
            with remembering(tmp_path / "curation"):
                curated = curate_examples(table(rows), CONFIG).kept
            with remembering(tmp_path / "audit"):
                found = audit_leakage(table(rows), CONFIG)
        assert content_sha256(curated) == content_sha256(curate_examples(table(rows), CONFIG).kept)
        assert found == audit_leakage(table(rows), CONFIG)
        rows = edited(random, rows, stock)
    assert len(list((tmp_path / "audit").iterdir())) == 1  # no features, arrays alone


def made(folder, stage, texts, fails=False):
    """Return of which texts features were made by a stage that may fail afterwards."""
    asked = []

    def make(text):
        asked.append(text)
        return character_shingles(text, 5)

    with contextlib.suppress(ZeroDivisionError), sharing_features(folder / "shared"):
        with remembering(folder / stage):
            features("kind", texts, make)
        1 / (not fails)
    return asked


def test_a_stage_takes_what_another_one_made_and_a_failed_run_loses_nothing(tmp_path):
    assert made(tmp_path, "curation", ["one", "two"], fails=True) == ["one", "two"]
    assert made(tmp_path, "audit", ["two", "three"], fails=True) == ["three"]
    assert made(tmp_path, "audit", ["one", "three"]) == []
    assert made(tmp_path, "curation", ["one", "two"]) == ["two"]  # not used by the whole run
