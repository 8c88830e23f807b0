"""The code that goes into the registry with a model."""

import subprocess
import sys
from pathlib import Path

import mlflow
import mlflow.utils.environment as environment

import tasks.promotion
import tasks.promotion.registry as registry
from data_contracts.results import BaseModelRef, ModelRef
from tasks.promotion.registry import CODE_FILE, VERDICT_TAG, log_and_register, pack_code
from tasks.training.method import METHODS

SERVED = Path(tasks.promotion.__file__).with_name("served_model.py")

# Without the environment's own Temper: only what lies beside the file is there.
LOAD = """
import runpy, sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
sys.path[:] = [place for place in sys.path if "site-packages" in place or "python3" in place]
runpy.run_path("served_model.py")
from tasks.training.method import METHODS
print(*METHODS.names())
of_temper = [name for name in sys.modules if name.split(".")[0] in ("tasks", "data_contracts")]
print(*{sys.modules[name].__file__.partition(".zip")[0] for name in of_temper})
"""


def test_the_same_code_gives_the_same_bytes(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert pack_code(first).read_bytes() == pack_code(second).read_bytes()


def test_the_served_model_needs_nothing_but_the_file_beside_it(tmp_path):
    (tmp_path / "served_model.py").write_text(SERVED.read_text())
    (tmp_path / "code").mkdir()
    packed = pack_code(tmp_path / "code")
    assert packed.name == CODE_FILE
    ran = subprocess.run(
        [sys.executable, "-I", "-c", LOAD], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    methods, places = ran.stdout.splitlines()[-2:]
    assert methods.split() == METHODS.names()
    assert places == "code/temper"


def test_a_version_has_its_tags_from_the_first_moment(client, tmp_path, monkeypatch):
    def refuse(*_arguments, **_named):
        raise AssertionError("a tag is set after the version is there to be found")

    monkeypatch.setattr(mlflow.MlflowClient, "set_model_version_tag", refuse)
    version = registered(client, tmp_path, "tagged")
    assert client.get_model_version("tagged", version).tags[VERDICT_TAG] == "PASS"


def test_the_requirements_are_those_installed_and_not_compared_with_them(
    client, tmp_path, monkeypatch
):
    compared = []
    monkeypatch.setattr(environment, "warn_dependency_requirement_mismatches", compared.append)
    version = registered(client, tmp_path, "required")
    assert compared == []
    stated = mlflow.pyfunc.get_model_dependencies(f"models:/required/{version}")
    assert f"mlflow=={mlflow.__version__}" in Path(stated).read_text().split()
    environment.warn_dependency_requirement_mismatches(["back in its place"])
    assert compared == [["back in its place"]]


def test_a_version_of_mlflow_that_compares_otherwise_is_left_alone(client, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_COMPARES", "of_another_version")
    assert registered(client, tmp_path, "other") == "1"
    assert not hasattr(environment, "of_another_version")


def registered(client, tmp_path, name: str) -> str:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.txt").write_text("weights")
    base = BaseModelRef(name="b", folder=tmp_path, fingerprint="b")
    model = ModelRef(fingerprint="m", folder=tmp_path / "weights", method="lora", base=base)
    experiment = client.create_experiment(name, artifact_location=(tmp_path / "a").as_uri())
    with mlflow.start_run(experiment_id=experiment):
        return log_and_register(mlflow, model, name, {VERDICT_TAG: "PASS"})
