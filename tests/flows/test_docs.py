"""The documentation builds, its links lead somewhere, and its reference is the code's."""

import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def site(repository, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_reference_has_every_command_and_every_section(site):
    import typer.main

    from flows.cli import app
    from flows.config import PipelineConfig

    commands = (site / "reference" / "commands" / "index.html").read_text()
    for name in typer.main.get_command(app).commands:
        assert f"temper {name}" in commands
    keys = (site / "reference" / "configuration" / "index.html").read_text()
    for name in PipelineConfig.model_fields:
        assert f"<code>{name}</code>" in keys


def test_every_test_that_the_threat_model_names_exists(repository):
    import re

    text = (repository / "docs" / "security.md").read_text()
    code = "\n".join(path.read_text() for path in (repository / "tests").rglob("*.py"))
    names = re.findall(r"`(test_\w+)`", text)
    assert names
    assert [name for name in names if f"def {name}(" not in code] == []


def test_every_page_of_results_says_the_command_that_makes_it(repository):
    import re

    command = re.compile(r"`[^`]*(?:benchmarks[./]\w+|temper run|make demo)[^`]*`")
    pages = sorted((repository / "docs" / "results").glob("*.md"))
    without = [page.name for page in pages if not command.search(page.read_text())]
    assert len(pages) > 15
    assert without == []
    for page in pages:
        for name in re.findall(r"python -m benchmarks\.(\w+)", page.read_text()):
            assert (repository / "benchmarks" / f"{name}.py").is_file(), (page, name)


def test_every_page_of_results_is_listed_with_what_makes_it(repository):
    listed = (repository / "docs" / "results" / "README.md").read_text()
    commands = (repository / "benchmarks" / "README.md").read_text()
    pages = sorted(page.name for page in (repository / "docs" / "results").glob("*.md"))
    pages.remove("README.md")
    assert [page for page in pages if f"]({page}) |" not in listed] == []
    pages.remove("sizing-near-duplicates.md")  # arithmetic by hand on what another page measured
    assert [page for page in pages if f"`docs/results/{page}`" not in commands] == []


def test_every_alert_has_its_place_in_the_runbook(repository):
    import re

    import yaml

    stated = yaml.safe_load((repository / "deploy" / "automations.yaml").read_text())
    runbook = (repository / "docs" / "operations.md").read_text()
    told = re.findall(r'^## .+\n\n\*Alert "([^"]+)"', runbook, re.MULTILINE)
    assert sorted(told) == sorted(alert["name"] for alert in stated["automations"])


def test_the_sizing_page_is_of_the_figures_that_the_other_pages_measured(repository):
    from benchmarks.sizing import documents_table, measured

    page = (repository / "docs" / "results" / "sizing.md").read_text()
    figures = measured()
    assert len(figures.stages) == 11
    missing = [line for line in documents_table(figures, 0.05) if line not in page]
    assert missing == [], "run `python -m benchmarks.sizing`"
    assert f"Rows of {figures.tokens} tokens" in page


def test_the_shell_completes_commands_and_options(repository):
    from pathlib import Path

    def completed(words: str) -> list[str]:
        asked = {"_TEMPER_COMPLETE": "complete_bash", "COMP_WORDS": words}
        done = subprocess.run(
            [str(Path(sys.executable).with_name("temper"))],
            env={**os.environ, **asked, "COMP_CWORD": str(len(words.split()) - 1)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.split()

    assert completed("temper data") == ["dataset"]
    assert "--documents" in completed("temper run --doc")
    assert "temper --install-completion" in (repository / "docs/how-to/index.md").read_text()


def test_pages_name_only_commands_that_exist(repository):
    import re

    import typer.main

    from flows.cli import app

    known = set(typer.main.get_command(app).commands)
    pages = [*(repository / "docs").glob("*.md"), *(repository / "docs" / "how-to").glob("*.md")]
    pages += [*(repository / "docs" / "explanation").glob("*.md"), repository / "README.md"]
    for page in pages:
        named = set(re.findall(r"(?:`|^\$ )temper ([a-z][a-z-]+)", page.read_text(), re.MULTILINE))
        assert named <= known, page
