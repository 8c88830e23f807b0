"""Many requests at once through an endpoint's Batch API: cheaper, and done within a day.

Which batch is under way is kept on disk before and after it is made, so that a run which was
killed waits for the same batch again instead of paying for a second one.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.base import Result, digest
from data_contracts.errors import EndpointError, StorageError
from tasks.file_lock import file_lock
from tasks.llm.client import ChatClient
from tasks.llm.reading import read_completion
from tasks.llm.request import Request, UnreadableResponse
from tasks.llm.response_log import ResponseLog

if TYPE_CHECKING:
    from openai.types import Batch

logger = logging.getLogger(__name__)

# OpenAI takes 50,000 requests and 200 MB a batch; half of the latter leaves room.
MOST_REQUESTS, MOST_BYTES = 50_000, 100 << 20

_DONE = ("completed", "failed", "expired", "cancelled")


class Submission(Result):
    """A batch on its way: the file that holds the requests, and the batch once it is made."""

    file: str
    batch: str | None


class Batches:
    """Asks in batches; what comes is in the log then.

    Args:
        client: Knows the endpoint and how it wants to be asked.
        log: Takes the replies.
        folder: Where it is kept which batches are under way.
    """

    def __init__(self, client: ChatClient, log: ResponseLog, folder: Path) -> None:
        self.client, self.log, self.folder = client, log, folder
        self._available = True

    def collect(self) -> None:
        """Wait for the batches that an earlier run left and put their replies into the log.

        Raises:
            EndpointError: The endpoint failed, or a batch takes longer than may be waited.
        """
        with self._alone():
            self._collect_all()

    def ask(self, requests: Mapping[str, Request]) -> None:
        """Ask what is not in the log yet; what fails there is left out.

        Args:
            requests: Key in the log to what to ask.

        Raises:
            EndpointError: The endpoint failed, or a batch takes longer than may be waited.
            StorageError: The folder cannot be written.
        """
        with self._alone():
            self._collect_all()
            missing = {key: r for key, r in requests.items() if self.log.get(key) is None}
            for lines in self._parts(missing):
                self._submit(lines)
            self._collect_all()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from submitting the same, and see what they got."""
        lock = self.folder.absolute().with_name(f"{self.folder.name}.lock")
        with file_lock(lock).held("ask"):
            self.log.refresh()
            yield

    def _parts(self, requests: Mapping[str, Request]) -> Iterator[list[bytes]]:
        """Yield the lines of the request files, none larger than an endpoint takes."""
        lines: list[bytes] = []
        size = 0
        for key, request in requests.items():
            body = self.client.dialect(request.response_format).body(request, self.client.config)
            url = "/v1/chat/completions"
            entry = {"custom_id": key, "method": "POST", "url": url, "body": body}
            line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
            if lines and (len(lines) == MOST_REQUESTS or size + len(line) > MOST_BYTES):
                yield lines
                lines, size = [], 0
            lines.append(line)
            size += len(line)
        if lines:
            yield lines

    def _submit(self, lines: list[bytes]) -> None:
        import openai

        if not self._available:
            return
        content = ("requests.jsonl", b"".join(lines))
        files = self.client.openai.files
        try:
            uploaded = self.client.retried(
                lambda: files.create(file=content, purpose="batch"), (openai.NotFoundError,)
            )
        except openai.NotFoundError:
            self._available = False
            logger.warning("%s has no Batch API: asking one by one instead.", self.client.base_url)
            return
        path = self.folder / f"{digest(uploaded.id, length=16)}.json"
        self._keep(path, Submission(file=uploaded.id, batch=None))
        batch = self._made(path, Submission(file=uploaded.id, batch=None))
        logger.info("Batch %s: %d requests submitted", batch.id, len(lines))

    def _made(self, path: Path, submission: Submission) -> "Batch":
        """Return a submission's batch, made now unless it was before."""

        def make() -> "Batch":
            batches = self.client.openai.batches
            if submission.batch is not None:
                return batches.retrieve(submission.batch)
            # An attempt may have reached the endpoint although its answer did not reach us.
            for batch in batches.list(limit=100):
                if batch.input_file_id == submission.file:
                    return batch
            return batches.create(
                input_file_id=submission.file,
                endpoint="/v1/chat/completions",
                completion_window="24h",
            )

        batch = self.client.retried(make)
        self._keep(path, Submission(file=submission.file, batch=batch.id))
        return batch

    def _collect_all(self) -> None:
        """Wait for every batch that is under way and put its replies into the log."""
        for path in sorted(self.folder.glob("*.json")):
            submission = Submission.model_validate_json(path.read_bytes())
            batch = self._finished(self._made(path, submission))
            for file in (batch.output_file_id, batch.error_file_id):
                if file is not None:
                    self._read_results(file)
            if batch.status != "completed":
                problems = [str(p.message) for p in (batch.errors and batch.errors.data) or []]
                logger.warning("Batch %s: %s %s", batch.id, batch.status, "; ".join(problems))
            path.unlink(missing_ok=True)

    def _finished(self, batch: "Batch") -> "Batch":
        config, identifier = self.client.config, batch.id
        deadline = time.monotonic() + config.batch_wait_hours * 3600
        while batch.status not in _DONE:
            if time.monotonic() > deadline:
                raise EndpointError(
                    f"Batch {batch.id} at {self.client.base_url} is still {batch.status} after "
                    f"{config.batch_wait_hours:g} hours. Run again later: it is waited for then."
                )
            time.sleep(config.batch_poll_seconds)
            batch = self.client.retried(lambda: self.client.openai.batches.retrieve(identifier))
        return batch

    def _read_results(self, file: str) -> None:
        content = self.client.retried(lambda: self.client.openai.files.content(file).content)
        failed = 0
        for line in content.split(b"\n"):
            if line.strip():
                failed += not self._read_result(line)
        if failed:
            logger.warning("%d requests of a batch failed; they are asked singly.", failed)

    def _read_result(self, line: bytes) -> bool:
        """Put one result into the log; return whether it holds a reply."""
        from openai.types.chat import ChatCompletion

        try:
            result: dict[str, Any] = json.loads(line)
            key, answer = str(result["custom_id"]), result["response"]
            if answer["status_code"] != 200:
                return False
            completion = read_completion(ChatCompletion.construct(**answer["body"]), 0, 0.0)
        except (ValueError, KeyError, TypeError, UnreadableResponse):
            return False
        if self.log.get(key) is None:
            self.log.append(key, completion)
        return True

    def _keep(self, path: Path, submission: Submission) -> None:
        unfinished = path.with_suffix(".tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(submission.model_dump_json())
            unfinished.replace(path)
        except OSError as error:
            raise StorageError(
                f"Cannot write {path}: {error}. Free disk space, then run again: the batch is "
                "waited for then."
            ) from error
