"""Prefect's temporary server, which starts while the run still loads its libraries.

Prefect would start one at a flow's first request, wait for it, and load the server's code into the
run's process too. Here the run listens, hands the socket to a server of its own and goes on: a
request that comes before the server is ready waits in line. `python -m flows.temporary_server
DESCRIPTOR` is that server.
"""

import atexit
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from data_contracts.errors import TemperError
from flows.services import HOST, ServiceError
from tasks.file_lock import file_lock

# What Prefect sets for the one that it starts.
_EPHEMERAL = {"PREFECT__SERVER_EPHEMERAL": "1", "PREFECT_UI_ENABLED": "0"}

# Longer than it takes to write what it still has.
SECONDS_TO_STOP = 5


class TemporaryServer:
    """A Prefect server that ends with this process.

    Attributes:
        api_url: Where it answers, at once or when it is ready.
    """

    def __init__(self) -> None:
        with socket.create_server((HOST, 0)) as listening:
            self.api_url = f"http://{HOST}:{listening.getsockname()[1]}/api"
            descriptor = listening.fileno()
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                [sys.executable, "-m", "flows.temporary_server", str(descriptor)],
                env=os.environ | _EPHEMERAL,
                pass_fds=[descriptor],
                # Ctrl-C in a terminal reaches a whole group. The run still tells the server that it
                # was interrupted, and ends it (flows/orphans.py does where the run cannot).
                process_group=0,
            )
        # Before such functions are called, Prefect sends what is left to tell.
        atexit.register(self.stop)

    @property
    def exit_code(self) -> int | None:
        """The code with which it ended; None while it runs."""
        return self._process.poll()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Say what is behind it when the body fails as the server has ended.

        Raises:
            ServiceError: That is so.
        """
        try:
            yield
        except TemperError:
            raise
        except Exception as error:
            if self.exit_code is None:
                raise
            raise ServiceError(
                f"Prefect's temporary server at {self.api_url} ended with exit code "
                f"{self.exit_code}, so the run could not go on. What it said stands above; "
                "run the same command again: finished work is kept."
            ) from error

    def stop(self) -> None:
        """End it."""
        atexit.unregister(self.stop)
        self._process.terminate()
        try:
            self._process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _serve(descriptor: int) -> None:
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import PREFECT_HOME

    lock = file_lock(PREFECT_HOME.value().absolute() / "servers.lock")

    class OneStartsAtATime(uvicorn.Server):
        """Starting makes or upgrades the database, which two servers spoil for each other."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            with lock.held("start"):
                await super().startup(sockets)

    app = create_app(ephemeral=True, final=True)
    server = OneStartsAtATime(uvicorn.Config(app, log_level="error", lifespan="on"))
    with socket.socket(fileno=descriptor) as listening:
        server.run(sockets=[listening])


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
