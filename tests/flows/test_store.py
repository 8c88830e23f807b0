"""Homes on different machines, as far as S3 can tell: one store, and nothing else in common."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.store import shared_store
from tests.stack import answers, free_port, wait_until
from tests.tiny_profile import copy_few

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
    pytest.mark.timeout(1200),
]

SENTENCE = "A quern lamp is a copper lantern that burns sunflower oil for seventeen hours."
TEXT = f"# Lamps\n\n## Quern lamp\n\n{SENTENCE} It is trimmed every Tuesday at 06:15.\n"


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """Start an S3 server and name a place on it as the store."""
    pytest.importorskip("moto", reason="needs moto: pip install '.[services]'")
    boto3 = pytest.importorskip("boto3", reason="needs boto3: pip install '.[services]'")
    url = f"http://127.0.0.1:{free_port()}"
    login = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    place = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1"}
    given = {"TEMPER_STORE": "s3://shared/temper", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in (login | place | given).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    command = [sys.executable, "-m", "moto.server", "-p", url.rpartition(":")[2]]
    with (tmp_path / "s3.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(url), 120)
        made = boto3.resource("s3").Bucket("shared")
        made.create()
        yield made
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def temper(tiny_profile, tmp_path, monkeypatch):
    """Run a verb on the documents in a home of that name; return what it says as JSON."""
    documents = copy_few(tmp_path / "documents")
    (documents / "lamps.md").write_text(TEXT)

    def run(name, *words):
        monkeypatch.setenv("TEMPER_HOME", str(tmp_path / name))
        given = [*words, str(tiny_profile), "--documents", str(documents), "--json"]
        result = CliRunner().invoke(app, given)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


def made(home):
    """Return what each dataset of a home says of its making: none is made twice the same."""
    found = home.glob("datasets/*/*/manifest.json")
    told = [json.loads(path.read_text()) for path in found]
    return {each["stage"]: (each["fingerprint"], each["created"], each["seconds"]) for each in told}


def contents(stages):
    return {each["stage"]: each["content_sha256"] for each in stages}


def test_homes_that_share_a_bucket_make_nothing_twice_and_forget_together(bucket, temper, tmp_path):
    first = contents(temper("one", "dataset", "build")["stages"])

    assert contents(temper("two", "dataset", "build")["stages"]) == first
    assert made(tmp_path / "two") == made(tmp_path / "one")
    assert not list((tmp_path / "two" / "cache").rglob("*.arrow"))

    (kept,) = (tmp_path / "one" / "datasets" / "chunking").glob("*/manifest.json")
    sha256 = json.loads(kept.read_text())["files"]["kept-00000.parquet"]
    (stored,) = [o for o in bucket.objects.all() if o.key.endswith(f"files/{sha256}")]
    stored.put(Body=b"PAR1 and no more")
    assert contents(temper("three", "dataset", "build")["stages"]) == first
    mended, before = made(tmp_path / "three"), made(tmp_path / "one")
    assert {stage for stage in before if mended[stage] != before[stage]} == {"chunking"}
    assert stored.get()["Body"].read() != b"PAR1 and no more"

    # A home that never saw the document deletes what all have put there, and all know of it.
    assert any(holds(found) for found in objects(bucket))
    done = temper("four", "forget", "lamps.md", "--purge")
    assert done["passed"]
    assert done["removed"]["shared"] == done["removed"]["datasets"] >= 3
    assert not any(holds(found) for found in objects(bucket))
    temper("one", "dataset", "build")  # has the old versions still
    again = temper("five", "dataset", "build")["stages"]
    assert again[-1]["fingerprint"] == done["dataset"]
    assert not any(holds(found) for found in objects(bucket))
    found = shared_store()
    assert found is not None and found.names("forgotten")


def objects(bucket):
    return [entry.get()["Body"].read() for entry in bucket.objects.all()]


def holds(content):
    """Return whether the bytes, or the table once unpacked, hold the sentence."""
    import io

    import pyarrow.parquet as pq

    if content[:4] != b"PAR1":
        return SENTENCE.encode() in content
    return SENTENCE in json.dumps(pq.read_table(io.BytesIO(content)).to_pylist())
