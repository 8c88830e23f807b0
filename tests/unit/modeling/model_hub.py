"""A model hub on loopback, of one model in two commits; who asks it is the real library."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from tests.tiny_models import tiny_base


@dataclass
class ModelHub:
    """Where it answers, and which commit each name of a revision stands for."""

    address: str = ""
    commits: dict[str, str] = field(default_factory=lambda: {"main": "a" * 40, "later": "b" * 40})
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and content of `/api/models/...` or of a file."""
        parts = urlsplit(path).path.strip("/").split("/")
        asked = parts[-1] if parts[0] == "api" else parts[3]
        commit = self.commits.get(asked, asked)
        if commit not in self.files:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        if "tree" in parts:
            entries = [
                {"type": "file", "path": name, "size": len(content), "oid": _etag(content)}
                for name, content in self.files[commit].items()
            ]
            return 200, {}, json.dumps(entries).encode()
        if parts[0] == "api":
            listed = [{"rfilename": name} for name in self.files[commit]]
            told = {"id": "org/model", "sha": commit, "siblings": listed}
            return 200, {}, json.dumps(told).encode()
        content = self.files[commit][parts[4]]
        return 200, {"X-Repo-Commit": commit, "ETag": _etag(content)}, content


def _etag(content: bytes) -> str:
    return sha256(content).hexdigest()


@contextmanager
def serve(folder: Path) -> Iterator[ModelHub]:
    """Serve a tiny model, with a pickle beside its weights; a later commit differs."""
    hub = ModelHub()
    for name, commit in hub.commits.items():
        tiny_base(folder / name, "llama")
        (folder / name / "pytorch_model.bin").write_bytes(b"\x80\x04.")
        (folder / name / "generation_config.json").write_text(json.dumps({"commit": name}))
        found = (folder / name).iterdir()
        hub.files[commit] = {path.name: path.read_bytes() for path in found}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, content = hub.answer(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        hub.address = f"http://127.0.0.1:{server.server_port}"
        yield hub
        server.shutdown()
