"""What no module may do with data from outside: run it, or let it choose a place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("flows", "tasks", "data_contracts")

# Module to what of it runs code that stands in the data.
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}
FORBIDDEN_CALLS = {
    "yaml.load": "yaml.safe_load",
    "yaml.full_load": "yaml.safe_load",
    "yaml.unsafe_load": "yaml.safe_load",
    "pd.read_pickle": "Parquet",
    "extractall": "reading members in memory",
    "eval": "parsing",
    "exec": "parsing",
}
# Transformers' loaders, and the keyword that each of them must have.
LOADERS = ("AutoConfig", "AutoTokenizer", "AutoModelForCausalLM")


def trees(repository: Path) -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((repository / package).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def code(repository: Path) -> list[tuple[Path, ast.Module]]:
    found = list(trees(repository))
    assert len(found) > 300
    return found


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> str | None:
    return next((ast.unparse(k.value) for k in call.keywords if k.arg == name), None)


def test_nothing_is_unpickled(code):
    found = []
    for path, tree in code:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found += [path for a in node.names if a.name.split(".")[0] in FORBIDDEN_IMPORTS]
            elif isinstance(node, ast.ImportFrom) and node.module in FORBIDDEN_IMPORTS:
                # an error's name is no loading
                found += [path for a in node.names if a.name != "UnpicklingError"]
    assert found == []


@pytest.mark.parametrize("name", FORBIDDEN_CALLS)
def test_no_call_runs_what_stands_in_the_data(code, name):
    found = [path for path, tree in code for called, _ in calls(tree) if matches(called, name)]
    assert found == [], f"use {FORBIDDEN_CALLS[name]} instead"


def matches(called: str, name: str) -> bool:
    return called == name or (name == "extractall" and called.endswith(".extractall"))


def test_every_loader_of_models_says_that_it_trusts_no_code(code):
    seen = 0
    for path, tree in code:
        for called, call in calls(tree):
            owner, _, what = called.rpartition(".")
            if owner in LOADERS and what in {"from_pretrained", "from_config"}:
                seen += 1
                assert keyword(call, "trust_remote_code") == "False", (path, call.lineno)
    assert seen >= 7


def test_states_of_training_are_read_without_their_code(code):
    loads = [call for _, tree in code for called, call in calls(tree) if called == "torch.load"]
    assert loads
    assert {keyword(call, "weights_only") for call in loads} == {"True"}


def test_arrays_are_read_without_pickles(code):
    for path, tree in code:
        for called, call in calls(tree):
            if called == "np.load":
                assert keyword(call, "allow_pickle") in {"False", None}, (path, call.lineno)
            assert keyword(call, "allow_pickle") != "True", (path, call.lineno)
