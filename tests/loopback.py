"""A real HTTP server on a loopback port, in a thread of its own."""

import socketserver
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers over one connection, at once, without a line in the log."""

    protocol_version = "HTTP/1.1"
    # Without these, Nagle's algorithm and delayed acknowledgements add 40 ms to each answer.
    disable_nagle_algorithm = True
    wbufsize = -1

    def body(self) -> bytes:
        """Return what was sent."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def send(
        self,
        status: int,
        data: bytes,
        headers: dict[str, str] | None = None,
        cut: int | None = None,
    ) -> None:
        """Answer; with `cut`, break the connection after so many bytes of the body."""
        self.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in (sent | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[:cut])
        self.close_connection = cut is not None and cut < len(data)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output clean."""


class _Server(ThreadingHTTPServer):
    """Asks no name server for its own name, as the standard library's would."""

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


class LoopbackServer:
    """A server whose handlers know it as `endpoint`.

    Args:
        handler: Answers the requests.
        host: The address it listens on.
    """

    def __init__(self, handler: type[LoopbackHandler], host: str = "127.0.0.1") -> None:
        bound = type("Handler", (handler,), {"endpoint": self})
        self._server = _Server((host, 0), bound)
        self._host = host
        self._server.daemon_threads = True
        # It looks so often whether it shall end; the standard library's half second adds up.
        serve = partial(self._server.serve_forever, poll_interval=0.02)
        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """The address for a client."""
        return f"http://{self._host}:{self._server.server_port}/v1"

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
