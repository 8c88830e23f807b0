"""Several endpoints that serve the same model, asked as if they were one.

Each has a client and a throttle of its own, and learns by itself how it wants to be asked. Which
of them answers makes no difference to what is remembered: a reply's key names the model, not the
place.
"""

import logging
import threading
import time
from collections.abc import Sequence

from tasks.llm.client import ChatClient
from tasks.llm.request import NotServed, Request
from tasks.llm.response_log import Completion

logger = logging.getLogger(__name__)

# How long an endpoint that failed is left out. One request tries it then: if it fails again, that
# request loses what its retries take, about 24 s with the defaults, and no other does.
PAUSE_SECONDS = 30.0


class _Member:
    """One of the endpoints.

    Attributes:
        client: Asks it.
        under_way: Requests that it has to deal with, those that wait for a place included.
        out_until: When it may be tried again; None while it is not left out.
    """

    def __init__(self, client: ChatClient) -> None:
        self.client = client
        self.under_way = 0
        self.out_until: float | None = None

    def is_ready(self, now: float) -> bool:
        """Whether it may be asked: after a pause, by one request until that is answered."""
        return self.out_until is None or (self.out_until <= now and not self.under_way)


class Pool:
    """Sends each request to the endpoint with the fewest under way; safe to use from threads.

    Args:
        clients: One for each endpoint; of those with equally few, the first is asked.
    """

    def __init__(self, clients: Sequence[ChatClient]) -> None:
        self._members = [_Member(client) for client in clients]
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Completion:
        """Return the model's reply; a request that one endpoint does not serve goes to another.

        Raises:
            CallFailed: This request got no reply from any endpoint, or cannot be answered.
            EndpointError: An endpoint lets nobody in.
        """
        tried: list[_Member] = []
        while True:
            member = self._taken(tried)
            tried.append(member)
            try:
                reply = member.client(request)
            except NotServed as error:
                self._leave_out(member, error)
                if len(tried) == len(self._members):
                    raise
            else:
                self._note_reply(member)
                return reply
            finally:
                with self._lock:
                    member.under_way -= 1

    def reached(self) -> int:
        """Return the most requests that were under way at each endpoint, added up."""
        return sum(member.client.reached() for member in self._members)

    def _taken(self, tried: Sequence[_Member]) -> _Member:
        """Return whom to ask next; where all others are left out, one of those all the same."""
        with self._lock:
            now = time.monotonic()
            others = [member for member in self._members if member not in tried]
            ready = [member for member in others if member.is_ready(now)]
            member = min(ready or others, key=lambda each: each.under_way)
            member.under_way += 1
            return member

    def _leave_out(self, member: _Member, error: NotServed) -> None:
        with self._lock:
            already = member.out_until is not None
            member.out_until = time.monotonic() + PAUSE_SECONDS
        if not already:
            logger.warning("An endpoint of several is left out for now. %s", error)

    def _note_reply(self, member: _Member) -> None:
        """Take an endpoint that answers for one that is there, whatever failed before."""
        with self._lock:
            was_out, member.out_until = member.out_until is not None, None
        if was_out:
            logger.info("The LLM endpoint %s answers again", member.client.base_url)
