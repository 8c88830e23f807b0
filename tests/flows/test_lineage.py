"""`temper trace` and `temper forget` on a small folder, through the real pipeline."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.lineage.wording import Wording

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
]

SENTENCE = (
    "The lamplighter of Quernmouth polishes eleven copper lanterns before Saturday breakfast."
)
TEXT = f"""# Lamps

## What is a lamplighter?

{SENTENCE}

## Quern lamp

A quern lamp is a copper lantern that burns sunflower oil for seventeen hours. It must be
trimmed every Tuesday at 06:15 by the lamplighter on duty.
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository):
    documents = tmp_path_factory.mktemp("handbook") / "documents"
    shutil.copytree(repository / "examples" / "handbook", documents)
    (documents / "lamps.md").write_text(TEXT)
    return documents


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def test_a_document_is_traced_then_forgotten_with_nothing_left(tiny_profile, folder, home):
    where = (tiny_profile, "--documents", folder)
    built = json.loads(run("dataset", "build", *where, "--json"))["stages"][-1]
    old = built["fingerprint"]
    _register(home, built)
    trace = json.loads(run("trace", "lamps.md", "--json"))
    assert {v["stage"] for v in trace["versions"]} >= {"ingestion", "chunking", "generation"}
    rows = [row["example_id"] for row in trace["rows"]]
    assert rows
    said = _said(home / "datasets", set(rows))
    assert "lamps.md" in run("trace", rows[0], "--dataset", old)

    done = json.loads(run("forget", "lamps.md", *where, "--purge", "--json"))

    assert done["passed"]
    assert done["dataset"] != old
    assert done["absence"]["memos"] == 0
    assert list((home / "cache").rglob("*.memo"))
    kept = Path(done["proof"]).read_text()
    assert Path(done["proof"]).is_relative_to(home)
    assert json.loads(kept)["absence"] == done["absence"] and json.loads(kept)["passed"]
    assert not Wording([TEXT], []).occurs_in(kept)
    assert not any(phrase in kept for phrase in ("Quern", "lantern", "oil", "Tuesday"))
    assert done["removed"]["partitions"] >= 2  # of ingestion and of generation
    assert [(v["version"], v["aliases"]) for v in done["registered"]] == [("1", ["champion"])]
    assert done["removed"]["datasets"] == len(trace["versions"])
    assert _files_with(home / "datasets", SENTENCE) + _files_with(home / "cache", SENTENCE) == []
    assert said and not any(name in path.read_text() for name in said for path in _ledgers(home))
    again = json.loads(run("dataset", "build", *where, "--json"))
    assert again["stages"][-1]["fingerprint"] == done["dataset"]


def _register(home, dataset):
    """Register a version with the tags that Temper's registration writes, and one without."""
    from tasks.tracking import connect

    client = connect(f"sqlite:///{home / 'mlflow.db'}").MlflowClient()
    client.create_registered_model("tiny")
    tags = {"temper.model": "m", "temper.dataset": dataset["fingerprint"]}
    tags |= {"temper.dataset_content": dataset["content_sha256"], "temper.verdict": "PASS"}
    for given in (tags, {}):
        client.create_model_version("tiny", home.as_uri(), tags=given)
    client.set_registered_model_alias("tiny", "champion", "1")


def _said(datasets, rows):
    """Return the names by which splits know what rows say, in any version."""
    import pyarrow.parquet as pq

    from tasks.splitting.assignment import text_names

    tables = map(pq.read_table, datasets.glob("splitting/*/kept-*.parquet"))
    named = [(t["example_id"].to_pylist(), text_names(t)) for t in tables]
    return {
        name for ids, names in named for row, name in zip(ids, names, strict=True) if row in rows
    }


def _ledgers(home):
    return list((home / "splits").glob("*.json"))


def _files_with(folder, sentence):
    """Return the files whose bytes, or whose tables once unpacked, hold a sentence."""
    import pyarrow.parquet as pq

    found = []
    for path in (p for p in folder.rglob("*") if p.is_file()):
        unpacked = json.dumps(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else ""
        if sentence.encode() in path.read_bytes() or sentence in unpacked:
            found.append(path)
    return found
