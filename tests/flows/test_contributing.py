"""The recipes of CONTRIBUTING.md, done literally in a copy of the repository."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

_BLOCK = re.compile(
    r'^```(?:python|diff) title="(?P<title>[^"]+)"\n(?P<body>.*?)^```$', re.MULTILINE | re.DOTALL
)
_COMMAND = re.compile(r"^\$ (pytest .*)$", re.MULTILINE)


def recipe(repository, title: str) -> str:
    text = (repository / "CONTRIBUTING.md").read_text()
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("title", "registered"),
    [
        ("Add a method", "tasks.training.method:METHODS:attention_lora"),
        ("Add a generator", "tasks.generation.base:GENERATORS:abbreviation"),
        ("Add a metric", None),
    ],
)
def test_a_recipe_works_as_written(title, registered, repository, tmp_path):
    copy = tmp_path / "copy"
    for part in ("data_contracts", "tasks", "flows", "deploy", "examples", "tests", "benchmarks"):
        shutil.copytree(
            repository / part, copy / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(repository / "pyproject.toml", copy)
    text = recipe(repository, title)
    for block in _BLOCK.finditer(text):
        path = copy / block["title"]
        path.write_text(block["body"])
        if path.suffix == ".patch":
            subprocess.run(["git", "apply", path.name], cwd=copy, check=True)
        else:
            run(copy, "-m", "ruff", "check", block["title"])
            run(copy, "-m", "ruff", "format", "--check", block["title"])
    if registered:
        module, registry, name = registered.split(":")
        run(copy, "-c", f"from {module} import {registry}; {registry}.get('{name}')")
    (command,) = _COMMAND.findall(text)
    printed = run(copy, "-m", *shlex.split(command), "-p", "no:cacheprovider")
    assert "passed" in printed


def run(folder, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
