"""`temper up` and `temper down`, and a run started through Prefect's API."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest
import yaml

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
    return ask(
        urllib.request.Request(
            url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
    )


def get(url: str) -> dict[str, object]:
    return ask(urllib.request.Request(url))


def ask(request: urllib.request.Request, tries: int = 20) -> dict[str, object]:
    """Return the answer; Prefect says 503 while its SQLite file is locked, and to ask again."""
    for left in reversed(range(tries)):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 503 or not left:
                raise
        time.sleep(1)
    raise AssertionError


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


def test_prefects_page_asks_the_server_that_runs(services):
    url = services[1]["prefect"]["url"]
    assert get(f"{url}/ui-settings")["api_url"] == f"{url}/api"


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
    api = services[1]["prefect"]["url"] + "/api"
    run_to_the_end(api, "dataset/by-hand", tiny_profile)
    home = services[0]
    assert list((home / "datasets" / "augmentation").glob("*/manifest.json"))
    deadline = time.monotonic() + 60
    while not (said := lines_of_ingestion(api)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert "rows kept" in said[0]  # on the run's page, without a terminal


def lines_of_ingestion(api):
    logged = post(f"{api}/logs/filter", {"limit": 200})
    return [line["message"] for line in logged if line["message"].startswith("ingestion:")]


def test_changed_documents_start_the_pipeline_by_an_event(services, tiny_profile, tmp_path):
    api = services[1]["prefect"]["url"] + "/api"
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "a.md").write_text("# Lanterns\n\nA lantern is a lamp that can be carried.\n")
    profile = tmp_path / "watched.yaml"
    values = yaml.safe_load(tiny_profile.read_text()) | {"documents": "./documents"}
    profile.write_text(yaml.safe_dump(values))
    deployment = get(f"{api}/deployments/name/pipeline/on-change")["id"]

    def started():
        runs = post(
            f"{api}/flow_runs/filter", {"flow_runs": {"deployment_id": {"any_": [deployment]}}}
        )
        return [run["parameters"] for run in runs]

    run_to_the_end(api, "watch/documents", profile)  # notes what is there
    run_to_the_end(api, "watch/documents", profile)
    assert started() == []
    (documents / "b.md").write_text("# Ropes\n\nA rope is a line that is thick.\n")
    run_to_the_end(api, "watch/documents", profile)
    deadline = time.monotonic() + 60
    while not started() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert started() == [{"profile": str(profile), "documents": None, "settings": []}]


def test_what_went_wrong_or_changed_is_told_by_the_notification_block(services, monkeypatch):
    """The events are sent as the tasks send them; the receiver is a real server."""
    from prefect import flow, tags
    from prefect.blocks.notifications import CustomWebhookNotificationBlock
    from prefect.events import emit_event

    from flows.automations import register_automations
    from tests.prefect_clients import talking_to

    api = services[1]["prefect"]["url"] + "/api"
    monkeypatch.setenv("TEMPER_HOME", str(services[0]))

    @flow(name="breaks")
    def breaks():
        raise ValueError("planted")

    with receiver() as (url, received), talking_to(api):
        block = CustomWebhookNotificationBlock(
            name="temper", url=url, json_data={"subject": "{{subject}}", "body": "{{body}}"}
        )
        block.save("temper", overwrite=True)
        register_automations()
        register_automations()  # nothing is told twice
        with tags("temper"), pytest.raises(ValueError, match="planted"):
            breaks()
        for event, kind, payload in (
            ("temper.gate.passed", "experiment", {"leakage": "PASS"}),
            ("temper.gate.failed", "experiment", {"leakage": "FAIL"}),
            ("temper.champion.changed", "model", {"version": "3", "before": "2"}),
        ):
            resource = {
                "prefect.resource.id": f"temper.{kind}.demo",
                "prefect.resource.name": "demo",
            }
            emit_event(event=event, resource=resource, payload=payload)
        deadline = time.monotonic() + 90
        while len(received) < 3 and time.monotonic() < deadline:
            time.sleep(0.5)
        time.sleep(3)  # for what must not come
    told = {message["subject"]: message["body"] for message in received}
    assert len(received) == len(told) == 3
    assert "planted" in told["Temper: breaks is Failed"]
    assert "leakage" in told["Temper: demo did not pass"]
    assert "Version 3; before: 2." in told["Temper: demo has a new champion"]


@contextmanager
def receiver():
    """Yield the address of a server that takes JSON, and the list of what it took."""
    received = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", received
    finally:
        server.shutdown()
        server.server_close()


def run_to_the_end(api, name, profile):
    deployment = get(f"{api}/deployments/name/{name}")
    created = post(
        f"{api}/deployments/{deployment['id']}/create_flow_run",
        {"parameters": {"profile": str(profile)}, "state": {"type": "SCHEDULED"}},
    )
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        state = get(f"{api}/flow_runs/{created['id']}")["state"]
        if state["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}:
            break
        time.sleep(1)
    assert state["type"] == "COMPLETED", state


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
