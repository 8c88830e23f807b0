"""`temper dataset export`, `diff` and `versions` on datasets that lie in a home folder."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from data_contracts.base import Config
from data_contracts.dataset import StageResult
from data_contracts.errors import ConfigError
from data_contracts.schemas import EXAMPLE, blank_row, dropped_schema
from flows.commands import diff, export, versions
from tasks.stage import Stage, run_stage
from tasks.tracking import start_pipeline_run

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
]

STAGE = Stage(name="augmentation", version=1, schema=EXAMPLE, suite="augmentation")

app = typer.Typer()
for module in (diff, export, versions):
    module.register(app)


class Options(Config):
    limit: int = 1


def row(name, **values):
    return blank_row(EXAMPLE) | {
        "example_id": name,
        "kind": "fact",
        "question": f"What is {name} for?",
        "answer": f"For {name}, write to jane.doe@gsa.gov.",
        "document_id": f"doc-{name}",
        "chunk_id": f"chunk-{name}",
        "generator": "test",
        "group_id": name,
        "split": "train",
        **values,
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    context = start_pipeline_run(folder, f"sqlite:///{folder / 'mlflow.db'}", "test", "run", {})
    old = [row("a"), row("b", split="test"), row("c")]
    new = [row("a", answer="Another."), row("b"), row("d", kind="list")]
    for limit, rows in ((1, old), (2, new)):
        dropped = [{**row(f"x{n}"), "reason": "over_limit", "detail": "."} for n in range(limit)]
        result = StageResult(
            kept=_table(rows, EXAMPLE),
            dropped=_table(dropped, dropped_schema(EXAMPLE)),
            rows_in=3 + limit,
        )
        run_stage(STAGE, context, Options(limit=limit), {}, lambda result=result: result)
    return folder


def _table(rows, schema):
    return pa.Table.from_pylist(rows, schema)


@pytest.fixture
def temper(home, monkeypatch):
    monkeypatch.setenv("TEMPER_HOME", str(home))

    def run(*arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.fixture
def fingerprints(temper):
    listed = json.loads(temper("versions", "--json"))
    by_answer = {Path(v["folder"]).name: v for v in listed}
    assert len(by_answer) == 2
    changed = [name for name in by_answer if _limit(by_answer[name]["folder"]) == 2]
    [new] = changed
    [old] = [name for name in by_answer if name != new]
    return old, new


def _limit(folder):
    return json.loads((Path(folder) / "manifest.json").read_text())["config"]["limit"]


def test_versions_are_listed(temper, fingerprints):
    output = temper("versions")
    assert all(f"augmentation/{name[:12]}" in output for name in fingerprints)
    assert temper("versions", "--stage", "generation").split() == [
        "created", "dataset", "rows", "documents",
    ]  # fmt: skip


def test_a_diff_says_what_changed_why_and_what_leaked(temper, fingerprints):
    old, new = fingerprints
    output = temper("diff", old, new[:8])
    words = output.split()
    assert words[words.index("added") : words.index("added") + 8] == [
        "added",
        "1",
        "removed",
        "1",
        "changed",
        "1",
        "unchanged",
        "1",
    ]
    assert "dropped as  over_limit  1    2" in output
    assert "option      limit       1    2" in output
    assert "ALARM: 1 rows were held out" in output
    assert "What is b for?" in output.split("ALARM")[1]
    assert "Another." not in output


def test_a_diff_shows_rows_before_and_after(temper, fingerprints):
    output = temper("diff", *fingerprints, "--rows")
    assert "- answer  For a, write to" in output
    assert "+ answer  Another." in output
    assert "> test -> train: What is b for?" in output
    assert "- c (train, fact, doc-c, chunk-c)" in output
    assert "+ d (train, list, doc-d, chunk-d)" in output


def test_a_diff_is_json_for_programs(temper, fingerprints):
    found = json.loads(temper("diff", *fingerprints, "--json"))
    assert [pair["columns"] for pair in found["changed"]] == [["answer"]]
    assert found["stages"]["augmentation"]["dropped"] == {"over_limit": [1, 2]}
    assert len(found["leaked"]) == 1
    backwards = json.loads(temper("diff", *reversed(fingerprints), "--json"))
    assert backwards["leaked"] == []


def test_an_export_writes_files_and_card(temper, fingerprints, tmp_path):
    old, _ = fingerprints
    output = temper("export", old, "--format", "sharegpt", "--out", tmp_path)
    assert "train.jsonl (2 rows), test.jsonl (1 rows)" in output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "README.md", "lineage", "test.jsonl", "train.jsonl",
    ]  # fmt: skip


def test_an_export_of_one_split_without_personal_data(temper, fingerprints, tmp_path):
    chosen = ["--split", "test", "--redact", "email", "--out", tmp_path, "--json"]
    found = json.loads(temper("export", fingerprints[0], *chosen))
    assert found["files"] == {"test.jsonl": 1}
    assert found["redacted"] == {"email": 1}
    assert "jane" not in (tmp_path / "test.jsonl").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "demo", "--format", "opnai"], "Did you mean 'openai'"),
        (["export", "0123", "--redact", "all"], "'0123' is no dataset.*demo"),
        (["diff", "nosuch", "demo"], "'nosuch' is no dataset"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(temper, arguments, message):
    with pytest.raises(ConfigError, match=message):
        temper(*arguments)
