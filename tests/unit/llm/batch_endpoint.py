"""An endpoint with OpenAI's Batch API: files, batches, results; and chat completions.

It follows the API's description: a JSON Lines file is uploaded as a form, a batch is made of
its id, its status goes through `validating` and `in_progress`, and the results lie in an
output file and an error file.
"""

import json
import re
from typing import Any

from tests.endpoint import completion
from tests.loopback import LoopbackHandler, LoopbackServer


class BatchEndpoint(LoopbackServer):
    """A server on a loopback port.

    Attributes:
        text: What every reply says.
        looks: How often a batch is looked at before it is done.
        fails: Requests whose prompt holds one of these fail in a batch.
        final: The status in which a batch ends.
        single: Bodies of the chat completions that were asked singly.
        batches: All batches, by id.
        cut_after_create: How many answers to the making of a batch are lost on the way.
    """

    def __init__(self) -> None:
        self.text, self.looks, self.final = "{}", 2, "completed"
        self.fails: set[str] = set()
        self.single: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.cut_after_create = 0
        self.has_batches = True
        self.keys_seen: set[str] = set()
        super().__init__(_Handler)

    def keep_file(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    def make_batch(self, body: dict[str, Any]) -> dict[str, Any]:
        batch = {
            "id": f"batch_{len(self.batches)}",
            "object": "batch",
            "status": "validating",
            "created_at": 0,
            "looks": 0,
            **body,
        }
        self.batches[batch["id"]] = batch
        return batch

    def look(self, name: str) -> dict[str, Any]:
        batch = self.batches[name]
        batch["looks"] += 1
        if batch["looks"] < self.looks:
            batch["status"] = "in_progress"
        elif batch["status"] != self.final:
            batch["status"] = self.final
            self._finish(batch)
        return batch

    def _finish(self, batch: dict[str, Any]) -> None:
        output, errors = [], []
        for line in self.files[batch["input_file_id"]].splitlines():
            asked = json.loads(line)
            assert (asked["method"], asked["url"]) == ("POST", "/v1/chat/completions")
            failed = any(word in str(asked["body"]["messages"]) for word in self.fails)
            body = {"error": {"message": "oh"}} if failed else json.loads(completion(self.text)[2])
            result = {
                "id": "x",
                "custom_id": asked["custom_id"],
                "response": {"status_code": 500 if failed else 200, "body": body},
                "error": None,
            }
            (errors if failed else output).append(json.dumps(result))
        batch["output_file_id"] = self.keep_file("\n".join(output).encode()) if output else None
        batch["error_file_id"] = self.keep_file("\n".join(errors).encode()) if errors else None


class _Handler(LoopbackHandler):
    endpoint: BatchEndpoint

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/v1/")
        if path == "batches":
            batches = list(self.endpoint.batches.values())
            self._send({"object": "list", "data": batches, "has_more": False})
        elif path.startswith("batches/"):
            self._send(self.endpoint.look(path.split("/")[1]))
        else:
            self.send(200, self.endpoint.files[path.split("/")[1]])

    def do_POST(self) -> None:
        body = self.body()
        if self.path == "/v1/chat/completions":
            self.endpoint.single.append(json.loads(body))
            self.send(200, completion(self.endpoint.text)[2].encode())
        elif not self.endpoint.has_batches:
            self.send_error(404)
        elif self.path == "/v1/files":
            name = self.endpoint.keep_file(_uploaded(body))
            self._send({"id": name, "object": "file", "purpose": "batch"})
        else:
            batch = self.endpoint.make_batch(json.loads(body))
            if self.endpoint.cut_after_create:
                self.endpoint.cut_after_create -= 1
                self.close_connection = True
                return  # the batch is made, but its answer never arrives
            self._send(batch)

    def _send(self, value: dict[str, Any]) -> None:
        self.send(200, json.dumps(value).encode())


def _uploaded(form: bytes) -> bytes:
    """Return the file in a multipart form whose purpose is a batch."""
    assert re.search(rb'name="purpose"\r\n\r\nbatch\r\n', form)
    boundary = form.split(b"\r\n", 1)[0]
    part = next(p for p in form.split(boundary) if b'name="file"' in p)
    return part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
