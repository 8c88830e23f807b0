"""Temper on the services of a team: PostgreSQL, an object store, logins, workers."""

import json
import subprocess
import sys
import urllib.error
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.plain_environment import plain_run
from tests.proxy import MLFLOW, PASSWORD, PREFECT, USER
from tests.stack import MLFLOW_PASSWORD, MLFLOW_USER, PREFECT_LOGIN, wait_until
from tests.tiny_profile import copy_few

pytestmark = pytest.mark.timeout(3600)

# What somebody else's program does, who knows MLflow and has never heard of Temper.
PROMOTE = """
import mlflow
client = mlflow.MlflowClient()
challenger = client.get_model_version_by_alias("tiny", "challenger")
client.set_registered_model_alias("tiny", "champion", challenger.version)
"""
ASK = """
import json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model("models:/tiny@champion")
asked = pandas.DataFrame({"question": ["What is a lantern?"]})
answers = model.predict(asked, {"max_new_tokens": 4})
of_temper = [name for name in sys.modules if name.split(".")[0] in ("tasks", "data_contracts")]
ours = [sys.modules[name].__file__ for name in of_temper]
print(json.dumps([list(answers), ours, "flows" in sys.modules]))
"""


def outsider(stack, folder, code):
    """Run a program with MLflow's address and login, away from the repository."""
    kept = {k: v for k, v in stack.client_environment.items() if k.startswith(("MLFLOW_", "PATH"))}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=kept, cwd=folder, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.strip()


def test_a_run_through_prefects_api_ends_in_registry_and_object_store(stack, piped):
    import boto3

    s3 = boto3.client(
        "s3",
        endpoint_url=stack.s3_url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
    )
    kept = [entry["Key"] for entry in s3.list_objects_v2(Bucket="mlflow")["Contents"]]
    assert any(key.endswith("report.html") for key in kept)
    registered = [key for key in kept if "/models/" in key]
    assert any(key.endswith("adapter_model.safetensors") for key in registered)
    assert len([key for key in registered if "/code/" in key]) == 1


def test_a_run_outlives_the_restart_of_every_service(stack, piped):
    assert stack.door.refused
    assert len(list(stack.home.glob("models/tuned/*/manifest.json"))) == 1
    assert not list(stack.home.glob("models/tuned/*.unfinished"))
    assert len(list(stack.home.glob("reports/*.html"))) == 1


def test_it_made_what_a_run_without_services_makes(stack, piped, tiny_profile, tmp_path):
    plain_run(tmp_path, "run", str(tiny_profile))
    alone, weights = made(tmp_path)
    among, interrupted = made(stack.home)  # other tests make datasets there, too
    assert {stage for stage, _ in alone} >= {"ingestion", "augmentation", "evaluation"}
    assert alone <= among
    assert weights == interrupted


def made(home):
    """Return the hash of each dataset's rows, by stage, and the tuned weights."""
    told = [each for each in manifests(home).values() if "stage" in each]
    weights = [path.read_bytes() for path in home.glob("models/tuned/*/weights/*.safetensors")]
    return {(each["stage"], each["content_sha256"]) for each in told}, weights


def test_the_page_of_a_run_tells_what_happened(stack, piped):
    asked = {"artifacts": {"flow_run_id": {"any_": [piped]}}}
    found = {each["key"]: each for each in stack.prefect("artifacts/filter", asked)}
    assert {"funnel", "verdict", "loss", "mlflow-run", "report"} <= set(found)
    assert f"]({stack.mlflow_url}/#/experiments/" in found["report"]["data"]


def test_the_page_of_the_subflow_that_trains_shows_how_far_training_is(stack, piped):
    below = stack.prefect(
        "flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [piped]}}}
    )
    asked = {"artifacts": {"flow_run_id": {"any_": [run["id"] for run in below]}}}
    (shown,) = [a for a in stack.prefect("artifacts/filter", asked) if a["key"] == "training"]
    assert shown["type"] == "progress"
    assert float(shown["data"]) == 100  # trained to the end


def test_a_client_that_knows_nothing_of_temper_promotes_and_asks_the_champion(
    stack, piped, tmp_path
):
    outsider(stack, tmp_path, PROMOTE)
    answers, ours, flows = json.loads(outsider(stack, tmp_path, ASK))
    assert len(answers) == 1 and isinstance(answers[0], str)
    assert ours and all("/code/temper.zip/" in path for path in ours)  # the model brought its own
    assert not flows


@pytest.mark.parametrize("login", [None, "people:guessed", "admin:"])
def test_prefects_api_refuses_without_the_login(stack, login):
    with pytest.raises(urllib.error.HTTPError) as refused:
        stack.prefect("flow_runs/filter", {}, login)
    refused.value.close()
    assert refused.value.code == 401


@pytest.mark.parametrize("login", [None, (MLFLOW_USER, "guessed"), ("stranger", MLFLOW_PASSWORD)])
def test_mlflow_refuses_without_the_login(stack, login):
    for page in (
        "",
        "/api/2.0/mlflow/registered-models/search",
        "/api/2.0/mlflow-artifacts/artifacts",
        "/get-artifact?path=report.html&run_uuid=0",
    ):
        assert httpx.get(stack.mlflow_url + page, auth=login).status_code == 401, page


PATHS = {
    PREFECT: ("/", "/runs", "/ui-settings", "/api/flows/name/pipeline", "/api/admin/version"),
    MLFLOW: ("/", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/graphql", "/get-artifact"),
}


def test_through_the_proxy_a_stranger_gets_nothing_of_either_server(stack, proxy):
    for host, paths in PATHS.items():
        for path in paths:
            for login in (None, ("stranger", "guessed")):
                assert proxy.ask(host, path, login).status == 401, (host, path, login)
    people = tuple(PREFECT_LOGIN.split(":", 1))
    assert proxy.ask(PREFECT, "/", (USER, PASSWORD)).status == 200
    assert proxy.ask(PREFECT, "/api/flows/name/pipeline", (USER, PASSWORD)).status == 401
    assert proxy.ask(PREFECT, "/api/flows/name/pipeline", people).status == 200
    assert proxy.ask(MLFLOW, "/", (MLFLOW_USER, MLFLOW_PASSWORD)).status == 200


def manifests(home):
    """Return what each dataset and model of a home says of itself, by folder, its base apart."""
    found = [*home.glob("datasets/*/*/manifest.json"), *home.glob("models/tuned/*/manifest.json")]
    told = {str(p.parent.relative_to(home)): json.loads(p.read_text()) for p in found}
    return {place: {**each, "base": None} for place, each in told.items()}


def test_a_worker_with_a_home_of_its_own_takes_all_stages_and_the_model_from_the_store(
    stack, piped, tiny_profile
):
    stack.end("temper-gpu")
    second = stack.folder / "second"
    stack.start_worker("temper-gpu", second)
    run = stack.start_run("pipeline/by-hand", {"profile": str(tiny_profile)})
    state = stack.end_of(run)
    assert state["type"] == "COMPLETED", (state["message"], stack.log("temper-gpu")[-3000:])
    # `created` and `seconds` too: nothing was made there
    assert manifests(second) == manifests(stack.home)
    assert {place.split("/")[1] for place in manifests(second)} >= {"augmentation", "tuned"}
    assert not list((second / "cache").rglob("*.arrow"))  # no document was read


# A name of its own has a ledger of its own: which side each document had is nobody's history.
FEWER = ["generation.max_rows_per_document=3", "name=fewer"]


def test_another_worker_ends_what_a_killed_one_began_as_one_process_would(
    stack, piped, tiny_profile, tmp_path
):
    given = {"profile": str(tiny_profile), "settings": FEWER}
    before = set(stack.home.glob("datasets/generation/*"))
    killed = stack.start_run("dataset/by-hand", given)
    wait_until(lambda: set(stack.home.glob("datasets/generation/[0-9a-f]*")) - before)
    stack.lose("temper-cpu")
    assert stack.prefect(f"flow_runs/{killed}")["state"]["type"] == "RUNNING"  # nobody told it
    # as a person does on the run's page: else its place is free when its lease ends
    cancelled = {"state": {"type": "CANCELLED"}, "force": False}
    stack.prefect(f"flow_runs/{killed}/set_state", cancelled)

    third = stack.folder / "third"
    stack.start_worker("temper-cpu", third)
    state = stack.end_of(stack.start_run("dataset/by-hand", given))
    assert state["type"] == "COMPLETED", (state["message"], stack.log("temper-cpu")[-3000:])
    ((_, ingested),) = of_stage(third, "ingestion").items()
    assert ingested in of_stage(stack.home, "ingestion").values()  # taken, not made
    assert list(content_of_dataset(third)) == [content_of_plain_run(tiny_profile, tmp_path)]


def of_stage(home, stage):
    return {k: v for k, v in manifests(home).items() if k.startswith(f"datasets/{stage}/")}


def content_of_dataset(home):
    return {each["content_sha256"] for each in of_stage(home, "augmentation").values()}


def content_of_plain_run(profile, home):
    settings = [part for setting in FEWER for part in ("--set", setting)]
    built = plain_run(home, "dataset", "build", str(profile), *settings)
    return built["stages"][-1]["content_sha256"]


def test_a_schedule_starts_a_run(stack, tiny_profile):
    deployment = stack.prefect("deployments/name/dataset/by-hand")["id"]
    # A moment that has passed when the server plans is planned again for the week after.
    soon = datetime.now(UTC) + timedelta(seconds=30)
    schedule = {
        "schedule": {"interval": 7 * 24 * 3600, "anchor_date": soon.isoformat()},
        "active": True,
        "parameters": {"profile": str(tiny_profile)},
    }
    stack.prefect(f"deployments/{deployment}/schedules", [schedule])
    # other tests start runs of this deployment by hand
    planned = wait_until(
        lambda: [run for run in stack.runs_of("dataset/by-hand") if run["auto_scheduled"]]
    )
    first = min(planned, key=lambda run: run["expected_start_time"])
    assert datetime.fromisoformat(first["expected_start_time"]) == soon
    begun = {"RUNNING", "COMPLETED"}
    wait_until(lambda: stack.prefect(f"flow_runs/{first['id']}")["state"]["type"] in begun)


def test_changed_documents_start_a_run_by_an_event(stack, tiny_profile, tmp_path):
    documents = copy_few(tmp_path / "documents")
    given = {"profile": str(tiny_profile), "documents": str(documents), "settings": FEWER}
    for text in (None, "# Lamps\n\nA quern lamp is a copper lantern that burns oil.\n"):
        if text is not None:
            (documents / "lamps.md").write_text(text)
        state = stack.end_of(stack.start_run("watch/documents", given))
        assert state["type"] == "COMPLETED", state["message"]
    (started,) = wait_until(lambda: stack.runs_of("pipeline/on-change"))
    assert {name: started["parameters"][name] for name in given} == given
    wait_until(lambda: stack.prefect(f"flow_runs/{started['id']}")["state"]["type"] == "RUNNING")
