"""The reverse proxy of deploy/, by Caddy's own program, on loopback."""

import shutil
import socket
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import NamedTuple

from tests.plain_environment import plain_environment
from tests.stack import free_port, wait_until

CADDYFILE = Path(__file__).parents[1] / "deploy" / "compose" / "Caddyfile"
PREFECT, MLFLOW = "prefect.localhost", "mlflow.localhost"
USER, PASSWORD = "temper", "a password of the proxy"

# The shipped file as it is, on ports that need no rights; the machine does not learn to trust it.
_AROUND = """{{
	admin off
	persist_config off
	skip_install_trust
	default_bind 127.0.0.1
	http_port {http}
	https_port {https}
	storage file_system {storage}
	servers {{
		protocols h1
	}}
}}
import {caddyfile}
"""


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes


def caddy() -> str | None:
    """Return where Caddy's program lies: that of `make setup` first, then the system's."""
    packaged = Path(sys.prefix) / "bin" / "caddy"
    return str(packaged) if packaged.is_file() else shutil.which("caddy")


class Proxy:
    """Caddy, as deploy/compose/compose.yaml starts it.

    Args:
        program: Caddy's.
        folder: Where its certificates and its log go.
        prefect: Host and port of what stands for Prefect's server.
        mlflow: Of MLflow's.
    """

    def __init__(self, program: str, folder: Path, prefect: str, mlflow: str) -> None:
        self.http, self.https = free_port(), free_port()
        self._storage, self._log = folder / "caddy", folder / "caddy.log"
        values = {"http": self.http, "https": self.https, "caddyfile": CADDYFILE}
        config = folder / "Caddyfile"
        config.write_text(_AROUND.format(storage=self._storage, **values))
        password = [program, "hash-password", "--plaintext", PASSWORD]
        hashed = subprocess.run(password, check=True, capture_output=True, text=True).stdout
        environment = plain_environment(
            PREFECT_HOST=PREFECT,
            MLFLOW_HOST=MLFLOW,
            PREFECT_UPSTREAM=prefect,
            MLFLOW_UPSTREAM=mlflow,
            PROXY_USER=USER,
            PROXY_PASSWORD_HASH=hashed.strip(),
        )
        command = [program, "run", "--config", str(config), "--adapter", "caddyfile"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        wait_until(self._is_ready, seconds=120)

    def ask(
        self,
        host: str,
        path: str,
        login: tuple[str, str] | None = None,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask by TLS, the certificate checked."""
        sent = dict(headers or {})
        if login:
            sent["Authorization"] = basic(*login)
        trust = ssl.create_default_context(cafile=self._authority)
        with (
            socket.create_connection(("127.0.0.1", self.https), timeout=60) as plain,
            trust.wrap_socket(plain, server_hostname=host) as secured,
        ):
            connection = HTTPConnection(host)  # as where the port is the usual one
            connection.sock = secured
            return _asked(connection, method, path, sent)

    def ask_plainly(self, host: str, path: str, headers: Mapping[str, str]) -> Answer:
        """Ask without TLS."""
        connection = HTTPConnection("127.0.0.1", self.http, timeout=60)
        try:
            return _asked(connection, "GET", path, {**headers, "Host": host})
        finally:
            connection.close()

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()

    @property
    def _authority(self) -> Path:
        return self._storage / "pki" / "authorities" / "local" / "root.crt"

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()[-2000:]
        try:
            return all(self.ask(host, "/") for host in (PREFECT, MLFLOW))
        except OSError:  # it does not listen yet, or has no certificate yet
            return False


def basic(user: str, password: str) -> str:
    """Return the header of a login."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _asked(
    connection: HTTPConnection, method: str, path: str, headers: Mapping[str, str]
) -> Answer:
    connection.request(method, path, headers=dict(headers))
    answer = connection.getresponse()
    return Answer(answer.status, answer.headers, answer.read())
