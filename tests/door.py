"""A door before a server: open, it passes every request on; shut, it answers 503."""

import http.client
import threading

from tests.loopback import LoopbackHandler, LoopbackServer


class Door(LoopbackServer):
    """A reverse proxy on loopback that can be shut.

    Args:
        port: Of the server behind it, on loopback.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.shut = threading.Event()
        self.refused = 0
        super().__init__(_Handler)

    @property
    def url(self) -> str:
        """The address for a client."""
        return self.base_url.removesuffix("/v1")


class _Handler(LoopbackHandler):
    endpoint: Door

    def _pass_on(self) -> None:
        sent = self._sent()
        if self.endpoint.shut.is_set():
            self.endpoint.refused += 1
            self._answer(503, [], b"<Error><Code>SlowDown</Code></Error>")
            return
        behind = http.client.HTTPConnection("127.0.0.1", self.endpoint.port, timeout=60)
        dropped = {"transfer-encoding", "expect", "connection"}
        headers = {k: v for k, v in self.headers.items() if k.lower() not in dropped}
        behind.request(self.command, self.path, sent, headers | {"Content-Length": str(len(sent))})
        answer = behind.getresponse()
        self._answer(answer.status, answer.getheaders(), answer.read())
        behind.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - http.server's names

    def _sent(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in {"transfer-encoding", "connection", "content-length", "date"}:
                self.send_header(name, value)
        if self.command == "HEAD":
            length = dict(headers).get("Content-Length", "0")
        else:
            length = str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
