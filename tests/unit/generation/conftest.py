"""Parts that several tests of generation share: chunks, tables, and an endpoint that misbehaves."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pyarrow as pa
import pytest

from data_contracts.schemas import CHUNK, DOCUMENT
from tasks.generation.base import ChunkView

Reply = tuple[int, dict[str, str], str]


def completion(content: str, finish_reason: str = "stop") -> Reply:
    """A well-formed answer of an OpenAI-compatible endpoint."""
    choice = {
        "index": 0,
        "finish_reason": finish_reason,
        "message": {"role": "assistant", "content": content},
    }
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
    return 200, {}, json.dumps(body)


class Endpoint:
    """A real HTTP server on a loopback port that answers as `respond` says."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.respond: Callable[[int, dict[str, Any]], Reply] = lambda n, body: completion("{}")
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with endpoint._lock:
                    endpoint.requests.append(body)
                    endpoint.headers.append({k.lower(): v for k, v in self.headers.items()})
                    number = len(endpoint.requests)
                status, headers, text = endpoint.respond(number, body)
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                """Keep the test's output clean."""

        return Handler


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()


def view(
    text: str,
    *headings: str,
    title: str = "Parking rules",
    before: str = "",
    after: str = "",
) -> ChunkView:
    """A chunk with the text that stands around it in its document."""
    return ChunkView(
        chunk_id="c1",
        title=title,
        headings=headings,
        text=text,
        document=before + text + after,
        start=len(before),
        siblings=(text,),
    )


def tables(*documents: tuple[str, list[tuple[list[str], str]]]) -> tuple[pa.Table, pa.Table]:
    """Chunk and document tables; a document is its title and sections (headings, text)."""
    chunk_rows, document_rows = [], []
    for number, (title, sections) in enumerate(documents):
        text, document_id = f"# {title}\n\n", f"doc-{number}"
        for index, (headings, body) in enumerate(sections):
            text += f"## {headings[-1]}\n\n" if headings else ""
            chunk_rows.append(
                {
                    "chunk_id": f"{document_id}-{index}",
                    "document_id": document_id,
                    "chunk_index": index,
                    "title": title,
                    "heading_path": headings,
                    "text": body,
                    "start": len(text),
                    "end": len(text) + len(body),
                    "page": None,
                    "n_tokens": len(body.split()),
                }
            )
            text += body + "\n\n"
        document_rows.append(
            {
                "document_id": document_id,
                "path": f"{number}.md",
                "sha256": "0" * 64,
                "media_type": "text/markdown",
                "parser": "markdown",
                "title": title,
                "raw_text": text,
                "text": text,
                "pages": [],
            }
        )
    return (
        pa.Table.from_pylist(chunk_rows, schema=CHUNK),
        pa.Table.from_pylist(document_rows, schema=DOCUMENT),
    )
