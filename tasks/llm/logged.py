"""A language model whose replies are looked up in a log before it is asked.

No reply is paid for twice: a request that another thread or process has under way is waited
for. What fails is noted in a file beside the log, but is no reply: the next run asks again.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pydantic import BaseModel

from data_contracts.errors import EndpointError
from tasks.llm.batch import Batches
from tasks.llm.budget import Budget, BudgetExceeded
from tasks.llm.client import ChatClient
from tasks.llm.config import LLMConfig
from tasks.llm.quarantine import Quarantine
from tasks.llm.request import CallFailed, Complete, Request, Unreachable
from tasks.llm.response_log import Completion, ResponseLog
from tasks.llm.usage import Usage

logger = logging.getLogger(__name__)

# Beside the log of replies.
QUARANTINE, FAILURES, BATCHES = "quarantine.jsonl", "failures.jsonl", "batches"

# An endpoint that has answered nothing yet gets so many chances: the first prompt may be
# too long or otherwise odd, three in a row are not.
FIRST_CHANCES = 3


class NotYetAsked(CallFailed):
    """The reply is not in the log, and nobody is asked now."""


class LoggedModel:
    """A model whose replies are looked up in a log before it is asked.

    Args:
        complete: Asks the model.
        log: The replies so far.
        config: Model and limits: part of a reply's key.

    Attributes:
        usage: What the work amounted to.
        batches: The endpoint's Batch API, if it is to be used.
    """

    def __init__(self, complete: Complete, log: ResponseLog, config: LLMConfig) -> None:
        self.complete, self.log, self.config = complete, log, config
        self.budget = Budget(config)
        self.usage = Usage(self.budget, getattr(complete, "reached", None))
        folder = log.path.parent
        self.batches: Batches | None = None
        if config.batch and isinstance(complete, ChatClient):
            self.batches = Batches(complete, log, folder / BATCHES)
        self._quarantine = Quarantine(folder / QUARANTINE)
        self._failures = Quarantine(folder / FAILURES)
        self._failed: dict[str, str] = {}
        self._in_a_row, self._answered = 0, False
        self._first, self._lock = threading.Lock(), threading.Lock()
        self._unasked: dict[str, Request] | None = None

    def __call__(self, request: Request) -> Completion:
        """Return the reply to a request, from the log if it is there.

        Raises:
            CallFailed: This request got no reply; others may.
            BudgetExceeded: The budget is used up, and the run is to stop then.
            EndpointError: The endpoint failed for good.
        """
        key = request.key(self.config)
        reply = self.log.get(key)
        if reply is not None:
            self.usage.count(key, reply, cached=True)
            return reply
        if self._unasked is not None:
            self._unasked[key] = request
            raise NotYetAsked("It is not asked yet.")
        if key in self._failed:
            raise CallFailed(self._failed[key])
        with self.log.claim(key):
            return self._ask(key, request)

    def _ask(self, key: str, request: Request) -> Completion:
        """Ask, unless another was faster; the first request of all goes alone."""
        reply = self.log.get(key)
        if reply is not None:
            self.usage.count(key, reply, cached=True)
            return reply
        with self._turn():
            try:
                return self._pay(key, request)
            except BudgetExceeded as error:
                raise self._at_the_stop(key, error) from error
            except CallFailed as error:
                self._note_failure(key, error)
                raise

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let the first request go alone: it finds out how the endpoint wants to be asked."""
        self._first.acquire()
        if self._answered:
            self._first.release()
            yield
            return
        try:
            yield
        finally:
            self._first.release()

    def _pay(self, key: str, request: Request) -> Completion:
        with self.budget.set_aside(request):
            reply = self.complete(request)
            self.log.append(key, reply)
            self.usage.count(key, reply, cached=False)
        self._answered, self._in_a_row = True, 0
        return reply

    def _at_the_stop(self, key: str, error: BudgetExceeded) -> EndpointError:
        if self.config.on_budget == "stop":
            return error
        if not self.usage.over_budget:
            logger.warning("Going on with the replies there are: %s", error)
        self.usage.over_budget.add(key)
        return CallFailed(f"It was not asked for: {error}")

    def _note_failure(self, key: str, error: CallFailed) -> None:
        """Count a failed request; too many are the endpoint's failure."""
        with self._lock:
            self._failed[key] = str(error)
            self.usage.failed += 1
            self._in_a_row += 1
        self._failures.add(str(error), key=key)
        if isinstance(error, Unreachable) and not self._answered:
            raise EndpointError(str(error)) from error
        chances = self.config.max_failures if len(self.log) else FIRST_CHANCES
        if self._in_a_row >= min(chances, self.config.max_failures):
            raise EndpointError(
                f"{self._in_a_row} requests failed one after the other. The last one: {error}"
            ) from error

    @property
    def unanswered(self) -> int:
        """Requests of this run that got no reply; those that the budget forbade are none."""
        return sum(self.log.get(key) is None for key in self._failed)

    def note_repair(self, prompt_sha256: str) -> None:
        """Count a conversation whose reply was usable only after repair."""
        self.usage.repaired.add(prompt_sha256)

    def keep_unusable(self, prompt_sha256: str, reply: str, reason: str) -> str:
        """Put a conversation's last reply into quarantine; return where it lies, as file#id."""
        self.usage.quarantined.add(prompt_sha256)
        return self._quarantine.add(reason, prompt_sha256=prompt_sha256, reply=reply)

    def ask_in_batches(self, conversations: Sequence[Callable[[], object]]) -> None:
        """Have all conversations, one step at a time, through the endpoint's Batch API.

        What fails there is left for single requests, as is what the budget does not allow.

        Args:
            conversations: Each asks through this model.

        Raises:
            EndpointError: The endpoint failed, or a batch takes longer than may be waited.
        """
        if self.batches is None:
            return
        self.batches.collect()
        tried: set[str] = set()
        for _ in range(self.config.repairs + 1):
            unasked = self.unasked(conversations)
            self._ask_one_of_each_form(list(unasked.values()))
            settled = tried | self._failed.keys()
            requests = {
                key: request
                for key, request in unasked.items()
                if key not in settled and self.log.get(key) is None
            }
            allowed = self.budget.affordable(list(requests.values()))
            requests = dict(list(requests.items())[:allowed])
            if not requests:
                return
            tried |= requests.keys()
            self.batches.ask(requests)
            self._count_new(requests)

    def unasked(self, conversations: Sequence[Callable[[], object]]) -> dict[str, Request]:
        """Return what conversations would ask next that is not in the log, by key."""
        self._unasked = {}
        try:
            for conversation in conversations:
                conversation()
            return self._unasked
        finally:
            self._unasked = None

    def _ask_one_of_each_form(self, requests: Sequence[Request]) -> None:
        """Find out how the endpoint wants to be asked before much is asked in one way."""
        first: dict[type[BaseModel], Request] = {}
        for request in requests:
            first.setdefault(request.response_format, request)
        for request in first.values():
            try:
                self(request)
            except BudgetExceeded:
                return
            except CallFailed as error:
                logger.warning("%s", error)

    def _count_new(self, requests: dict[str, Request]) -> None:
        for key in requests:
            reply = self.log.get(key)
            if reply is not None:
                self._answered = True
                self.usage.count(key, reply, cached=False)
