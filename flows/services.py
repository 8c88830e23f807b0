"""The local services: Prefect server, MLflow with its UI, and the served deployments.

`temper up` starts them, all on loopback, and notes their process ids; `temper down` ends
exactly those processes and nothing else.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from data_contracts.base import Result
from data_contracts.errors import TemperError
from flows.start_page import PAGE, write_start_page
from tasks.settings import Settings

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
STATE = "services.json"

# Both servers migrate their databases at the first start, which takes a while on a slow disk.
SECONDS_TO_START = 180

_LEASES = "prefect.server.concurrency.lease_storage.filesystem"
_OURS = {
    "PREFECT_SERVER_API_HOST": HOST,
    # In memory, its default, a restart loses who holds a deployment's slot, and the run crashes.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": _LEASES,
    # MLflow would start eight processes for jobs of its own, none of which Temper has.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


class ServiceError(TemperError):
    """A local service does not start, or one runs already."""


class Service(Result):
    """A process that `temper up` started."""

    name: str
    pid: int
    started: float  # the kernel's start time of that process, so that a reused pid is noticed
    url: str | None
    log: str


def running_services(home: Path) -> list[Service]:
    """Return the services that `temper up` started and that still run."""
    path = home / STATE
    if not path.is_file():
        return []
    noted = [Service.model_validate(item) for item in json.loads(path.read_text())]
    return [service for service in noted if _start_time(service.pid) == service.started]


def prefect_api_url(home: Path) -> str | None:
    """Return the API address of the running local Prefect server, if there is one."""
    for service in running_services(home):
        if service.name == "prefect":
            return f"{service.url}/api"
    return None


def start_services(settings: Settings, prefect_port: int, mlflow_port: int) -> list[Service]:
    """Start Prefect, MLflow and the deployments; return when all of them answer.

    Raises:
        ServiceError: They run already, a port is taken, or one does not come up.
    """
    from tasks.tracking import make_database

    home = settings.resolved_home
    if running_services(home):
        raise ServiceError("The services run already. `temper down` ends them.")
    for port, option in ((prefect_port, "--prefect-port"), (mlflow_port, "--mlflow-port")):
        _check_free(port, option)
    home.mkdir(parents=True, exist_ok=True)
    prefect_url, mlflow_url = f"http://{HOST}:{prefect_port}", f"http://{HOST}:{mlflow_port}"
    services: list[Service] = []
    try:
        prefect = ["prefect", "server", "start", "--host", HOST, "--port", str(prefect_port)]
        # without it, the page asks port 4200, whatever the server's port is
        page = {"PREFECT_SERVER_UI_API_URL": f"{prefect_url}/api"}
        services.append(_start("prefect", prefect, home, prefect_url, page))
        make_database(settings.resolved_tracking_uri)  # MLflow's server could leave half of one
        services.append(_start("mlflow", _mlflow_command(settings, mlflow_port), home, mlflow_url))
        _wait(services[0], f"{prefect_url}/api/health")
        _wait(services[1], f"{mlflow_url}/health")
        served = {"PREFECT_API_URL": f"{prefect_url}/api", "TEMPER_MLFLOW_PAGE": mlflow_url}
        services.append(_start("deployments", ["flows.serve"], home, None, served))
        _wait_for_deployments(services[2], f"{prefect_url}/api")
    except ServiceError:
        _stop(services)
        raise
    _note(home, services)
    write_start_page(home, prefect_url, mlflow_url)
    return services


def stop_services(home: Path) -> list[Service]:
    """End the services that `temper up` started; return those that were running."""
    services = running_services(home)
    _stop(services)
    for name in (STATE, PAGE):
        (home / name).unlink(missing_ok=True)
    return services


def _mlflow_command(settings: Settings, port: int) -> list[str]:
    home = settings.resolved_home
    return [
        "mlflow",
        "server",
        "--backend-store-uri",
        settings.resolved_tracking_uri,
        "--artifacts-destination",
        (home / "mlartifacts").as_uri(),
        "--host",
        HOST,
        "--port",
        str(port),
        "--workers",
        "1",
    ]


def _start(
    name: str, module: list[str], home: Path, url: str | None, extra: dict[str, str] | None = None
) -> Service:
    """Start `python -m MODULE ARGUMENTS` in a session of its own, so that it outlives us."""
    log = home / f"{name}.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            [sys.executable, "-m", *module],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_OURS, **(extra or {})},
            start_new_session=True,
        )
    logger.info("starting %s%s", name, f" at {url}" if url else "")
    started = _start_time(process.pid)
    return Service(name=name, pid=process.pid, started=started or 0.0, url=url, log=str(log))


def _start_time(pid: int) -> float | None:
    """Return when a process started, None when there is no such process."""
    import psutil

    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return float(process.create_time()) if alive else None
    except psutil.NoSuchProcess:
        return None


def _check_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            raise ServiceError(
                f"Port {port} on {HOST} is taken by another program. Choose one with {option}."
            )


def _wait(service: Service, url: str) -> None:
    """Wait until a service answers.

    Raises:
        ServiceError: It ended, or it does not answer in time.
    """
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            _check_alive(service)
            time.sleep(0.5)
    raise ServiceError(f"{service.name} did not answer within {SECONDS_TO_START} s: {service.log}")


def _wait_for_deployments(service: Service, api: str) -> None:
    """Wait until all are there: they are registered one after the other."""
    from flows.serve import deployments

    expected = len(deployments())
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{api}/deployments/count", data=b"{}", headers={"Content-Type": "application/json"}
    )
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        _check_alive(service)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            if int(answer.read()) >= expected:
                return
        time.sleep(0.5)
    raise ServiceError(
        f"Not all deployments were served within {SECONDS_TO_START} s: {service.log}"
    )


def _check_alive(service: Service) -> None:
    if _start_time(service.pid) != service.started:
        raise ServiceError(f"{service.name} ended at once. What it said: {service.log}")


def _stop(services: list[Service]) -> None:
    """End processes with their children: politely first, by force after ten seconds."""
    for service in reversed(services):
        if _start_time(service.pid) == service.started:
            os.killpg(service.pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    for service in services:
        while _start_time(service.pid) == service.started and time.monotonic() < deadline:
            time.sleep(0.1)
        if _start_time(service.pid) == service.started:
            os.killpg(service.pid, signal.SIGKILL)


def _note(home: Path, services: list[Service]) -> None:
    text = json.dumps([service.model_dump() for service in services], indent=2)
    temporary = home / f"{STATE}.partial"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(home / STATE)
