"""`temper scrubbing`: what it prints, and that it asks for the key."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data_contracts.errors import ConfigError
from flows.commands.scrubbing import app
from tasks.scrubbing.config import ScrubbingConfig
from tasks.scrubbing.scrub import scrubber

RUNNER = CliRunner()


def test_check_says_what_and_where(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("# Contact\n\nWrite to bob@x.org.")
    result = RUNNER.invoke(app, ["check", str(file), "--json"])
    assert json.loads(result.output) == [{"kind": "email", "line": 3, "value": "bob@x.org"}]


def test_reveal_puts_values_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPER_SCRUBBING_KEY", "a key")
    monkeypatch.setenv("TEMPER_HOME", str(tmp_path))
    scrubbed = scrubber(ScrubbingConfig(reversible=True), tmp_path).scrub("to bob@x.org\n").text
    result = RUNNER.invoke(app, ["reveal", "-"], input=scrubbed)
    assert result.output == "to bob@x.org\n"
    monkeypatch.delenv("TEMPER_SCRUBBING_KEY")
    with pytest.raises(ConfigError, match="TEMPER_SCRUBBING_KEY"):
        RUNNER.invoke(app, ["reveal", "-"], input=scrubbed, catch_exceptions=False)
