"""`temper up` and `temper down`, and a run started through Prefect's API."""

import json
import os
import socket
import subprocess
import sys
import urllib.request

import psutil
import pytest

# A cold start of both servers, the deployments and a flow run take a minute on two busy cores.
pytestmark = pytest.mark.timeout(900)


def temper(*arguments: str, home, check=True) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_API")}
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        env={**environment, "TEMPER_HOME": str(home), "PREFECT_HOME": str(home / "prefect")},
        capture_output=True,
        text=True,
        timeout=600,
        check=check,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    home = tmp_path_factory.mktemp("up")
    ports = ["--prefect-port", str(free_port()), "--mlflow-port", str(free_port())]
    try:
        started = json.loads(temper("up", "--json", *ports, home=home).stdout)
        yield home, {service["name"]: service for service in started}
    finally:
        temper("down", home=home)


def post(url: str, body: dict[str, object]) -> dict[str, object]:
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.loads(answer.read())


def test_both_pages_answer_on_loopback_only(services):
    _home, running = services
    for name in ("prefect", "mlflow"):
        with urllib.request.urlopen(running[name]["url"], timeout=30) as answer:
            assert b"<html" in answer.read().lower()
        listening = [
            connection.laddr.ip
            for process in family(running[name]["pid"])
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening and set(listening) == {"127.0.0.1"}


def test_one_deployment_has_a_schedule_one_a_form_and_one_promotes(services):
    api = services[1]["prefect"]["url"] + "/api"
    found = post(f"{api}/deployments/filter", {})
    names = {(item["name"], bool(item["schedules"])) for item in found}
    assert {("nightly", True), ("by-hand", False)} <= names
    form = next(
        item for item in found if "settings" in item["parameter_openapi_schema"]["properties"]
    )
    properties = form["parameter_openapi_schema"]["properties"]
    assert "overrides" in str(properties["settings"]).lower()
    assert any("version" in item["parameter_openapi_schema"]["properties"] for item in found)


def test_a_run_is_started_through_prefects_api(services, tiny_profile):
    import time

    api = services[1]["prefect"]["url"] + "/api"
    deployment = get(f"{api}/deployments/name/dataset/by-hand")
    created = post(
        f"{api}/deployments/{deployment['id']}/create_flow_run",
        {"parameters": {"profile": str(tiny_profile)}, "state": {"type": "SCHEDULED"}},
    )
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        state = get(f"{api}/flow_runs/{created['id']}")["state"]
        if state["type"] in {"COMPLETED", "FAILED", "CRASHED"}:
            break
        time.sleep(1)
    assert state["type"] == "COMPLETED", state
    home = services[0]
    assert list((home / "datasets" / "augmentation").glob("*/manifest.json"))


def test_starting_twice_is_refused(services):
    home, _running = services
    again = temper("up", home=home, check=False)
    assert again.returncode == 1
    assert "run already" in again.stderr


def test_down_ends_what_up_started_and_nothing_else(tmp_path):
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    ports = ["--prefect-port", str(free_port()), "--mlflow-port", str(free_port())]
    try:
        started = json.loads(temper("up", "--json", *ports, home=tmp_path).stdout)
        children = [process for item in started for process in family(item["pid"])]
        temper("down", home=tmp_path)
        _gone, alive = psutil.wait_procs(children, timeout=15)
        assert alive == []
        assert bystander.poll() is None
        assert "Nothing was running" in temper("down", home=tmp_path).stdout
    finally:
        bystander.kill()
        bystander.wait()


def family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
