"""What is secret stays secret, and nothing goes where it was not sent.

One whole run (documents to registered model) in a network namespace without a route, every
connection that any of its processes tries written down; then all it left behind is searched.
"""

import gzip
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet
import pytest
import yaml

from tests.e2e.planted_run import BLOCK, ENDPOINT_HOST
from tests.flows.conftest import tiny_profile  # noqa: F401 - a fixture
from tests.plain_environment import plain_environment
from tests.tiny_profile import copy_few, write_tiny_profile

pytestmark = pytest.mark.timeout(900)

# In the environment or in a Secret block: found nowhere at all afterwards.
CREDENTIALS = {
    "OPENAI_API_KEY": "sk-proj-plantedEnvironmentKey0123456789abcdefAB",
    "PLANTED_BLOCK": "sk-proj-plantedSecretBlock0123456789abcdefCD",
    "TEMPER_SCRUBBING_KEY": "planted-scrubbing-key-5d41402abc4b2a76",
    "MLFLOW_TRACKING_PASSWORD": "planted-mlflow-password-7f1a",
    "AWS_SECRET_ACCESS_KEY": "plantedAwsSecret/0123456789abcdefghijklmn",
}
# In documents: replaced before anything is stored or sent.
WRITTEN = {
    "password": "Tr0mbone-Kettle-94",
    "api key": "AKIAQ7PLANTEDKEY2345",
    "token": "ghp_plantedTokenABCDEFGHIJKLMNOPQRST0123",
    "e-mail": "imke.vandersluis@planted-harbour.nl",
    "card": "4539 1488 0343 6467",
    "iban": "NL91ABNA0417164300",
}
_DOCUMENT = f"""# Tide bell

## What does the tide bell cost?

The tide bell costs 25 euro, which the cashier in Pilot House takes on working days.

## Whom do I ask about the tide bell?

Write to {WRITTEN["e-mail"]} about the tide bell before noon on any working day of the week.

## How is the tide bell paid for?

The tide bell is paid to the account {WRITTEN["iban"]} or with the card {WRITTEN["card"]} of the
harbour, and the receipt is kept for one year in the office of the cashier.

## How do I switch the tide bell off?

Log in to the panel with the password: {WRITTEN["password"]} and press the red button twice.
The backup account uses AWS_ACCESS_KEY_ID={WRITTEN["api key"]} for its recordings.
The scripts use the token {WRITTEN["token"]} when they read the tide tables each night.
"""
_PAGE = f"<html><body><h1>Gate</h1><p>The gate's password: {WRITTEN['password']}</p></body></html>"
_CONNECT = re.compile(
    r'sa_family=AF_INET6?, sin6?_port=htons\((?P<port>\d+)\).*?"(?P<host>[0-9a-f.:]+)"'
)


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    folder: Path
    said: str
    requests: list[dict[str, object]]
    headers: list[dict[str, str]]
    reached: set[tuple[str, int]]


@pytest.fixture(scope="module")
def run(tiny_profile, repository, tmp_path_factory) -> Run:  # noqa: F811
    enclosed = _without_a_way_out()
    folder = tmp_path_factory.mktemp("planted")
    documents = folder / "documents"
    documents.mkdir()
    for path in sorted((repository / "examples" / "handbook").rglob("*.md"))[:24]:
        shutil.copy(path, documents)
    (documents / "tide-bell.md").write_text(_DOCUMENT)
    (documents / "gate.html").write_text(_PAGE)
    values = yaml.safe_load(tiny_profile.read_text()) | {"documents": str(documents)}
    values["generation"]["generators"].append({"generator": "single_fact"})
    values["generation"]["max_loss_rate"] = 1.0  # the endpoint knows one fact
    values["generation"]["llm"] = {
        "base_url": "http://placeholder.invalid/v1",
        "model": "m",
        "api_key_block": BLOCK,
        "max_calls": None,
        "repairs": 0,
    }
    profile = folder / "planted.yaml"
    profile.write_text(yaml.safe_dump(values))
    command = ["tests.e2e.planted_run", str(profile), str(folder)]
    said, reached = _run_enclosed(enclosed, command, folder, repository, CREDENTIALS)
    told = json.loads((folder / "requests.json").read_text())
    (folder / "requests.json").unlink()  # the one place where the key belongs
    shutil.rmtree(documents)
    return Run(folder, said, told["requests"], told["headers"], reached)


def _run_enclosed(enclosed, command, folder, repository, credentials):
    """Run a module in the namespace; return what it said and every host and port it tried."""
    trace = folder / "trace"
    done = subprocess.run(
        [*enclosed(trace), sys.executable, "-m", *command],
        env={
            **plain_environment(),
            **credentials,
            "PYTHONPATH": str(repository),
            "TEMPER_HOME": str(folder / "home"),
            "HF_HUB_OFFLINE": "0",  # nothing but our own settings keeps it from asking
        },
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    tried = trace.read_text(errors="replace")
    trace.unlink()
    reached = {(found["host"], int(found["port"])) for found in _CONNECT.finditer(tried)}
    return done.stdout + done.stderr, reached


def _without_a_way_out():
    """Return what starts a command in a namespace without a route, its connections traced."""
    wanted = ("unshare", "ip", "strace")
    if missing := [name for name in wanted if shutil.which(name) is None]:
        pytest.skip(f"needs {', '.join(missing)} to show that no byte leaves the machine")
    inside = f'ip link set lo up && ip addr add {ENDPOINT_HOST}/32 dev lo && exec "$@"'
    enter = ["unshare", "-rn", "sh", "-c", inside, "sh"]
    if (refused := subprocess.run([*enter, "true"], capture_output=True, check=False)).returncode:
        pytest.skip(f"this kernel allows no network namespace: {refused.stderr.decode()}")
    calls = "--trace=connect,sendto,sendmsg,sendmmsg"
    watch = ["strace", "-f", "--seccomp-bpf", "-qq", calls, "-s", "0"]
    if subprocess.run([*enter, *watch, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this kernel allows no tracing of processes")
    return lambda trace: [*enter, *watch, "-o", str(trace)]


def texts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file below a folder as text, whatever form it is stored in."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path, str(path.relative_to(folder)) + "\n" + _text(path)


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(b"SQLite format 3"):
        with sqlite3.connect(path) as database:
            return "\n".join(database.iterdump()) + data.decode("latin-1")
    if data.startswith(b"PAR1"):
        return str(parquet.read_table(path).to_pylist())
    if data.startswith(b"ARROW1"):
        return str(feather.read_table(path).to_pylist())
    if path.suffix == ".arrow":
        return str(ipc.open_stream(path).read_all().to_pylist())
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "\n".join(archive.read(name).decode("latin-1") for name in archive.namelist())
    if data.startswith(b"\x1f\x8b"):
        return gzip.decompress(data).decode("latin-1")
    return data.decode("latin-1") + data.decode("utf-8", errors="ignore")


def holders(run: Run, value: str) -> list[str]:
    """Return where a value is found: files of the run, and what it said."""
    spellings = {value, json.dumps(value)[1:-1], value.replace(" ", "")}
    found = [str(path) for path, text in texts(run.folder) if any(s in text for s in spellings)]
    return found + ["output"] * any(spelling in run.said for spelling in spellings)


def test_the_search_finds_what_is_there(run):
    stored = holders(run, "The tide bell costs 25 euro")
    for kind in ("datasets/ingestion", "datasets/generation", "cache/generation", "quarantine"):
        assert any(kind in place for place in stored), kind
    assert any("prefect.db" in place for place in holders(run, "fine-tune"))
    assert any("mlflow.db" in place for place in holders(run, "temper.kind"))


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credential_is_found_nowhere_after_a_run(run, name):
    assert holders(run, CREDENTIALS[name]) == []


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_secret_in_a_document_is_found_nowhere_after_a_run(run, kind):
    assert holders(run, WRITTEN[kind]) == []


def test_the_endpoint_got_scrubbed_passages_and_the_key_of_the_block_alone(run):
    sent = json.dumps(run.requests)
    assert "tide bell" in sent
    assert "[EMAIL" in sent
    assert [kind for kind, value in WRITTEN.items() if value in sent] == []
    assert {h["authorization"] for h in run.headers} == {f"Bearer {CREDENTIALS['PLANTED_BLOCK']}"}
    others = {v for name, v in CREDENTIALS.items() if name != "PLANTED_BLOCK"}
    assert [value for value in others if value in sent + json.dumps(run.headers)] == []


def test_the_run_reaches_for_its_endpoint_and_for_no_other_host(run):
    address = (run.folder / "address").read_text()
    port = int(address.rpartition(":")[2].partition("/")[0])
    assert away(run.reached) == {(ENDPOINT_HOST, port)}


def test_a_run_without_an_endpoint_reaches_for_no_host_at_all(repository, tmp_path):
    enclosed = _without_a_way_out()
    profile = write_tiny_profile(tmp_path, copy_few(tmp_path / "documents"))
    command = ["flows.cli", "run", str(profile), "--json"]
    said, reached = _run_enclosed(enclosed, command, tmp_path, repository, {})
    assert '"model_version"' in said  # it ran to its end
    assert reached  # the trace holds Prefect's temporary server, on loopback
    assert away(reached) == set()


def away(reached):
    """Return what is not loopback."""
    return {place for place in reached if not place[0].startswith("127.") and place[0] != "::1"}
