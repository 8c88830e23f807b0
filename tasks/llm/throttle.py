"""How many requests may be under way: fewer when the endpoint has too many, more as it copes.

Additive increase, multiplicative decrease (Chiu and Jain 1989; TCP's congestion control).
When the endpoint tells one request to wait, all wait.
"""

import email.utils
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

# First and longest pause between two attempts where the endpoint names none; they double
# in between (the values of the openai client, which leaves retries to us).
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0


class Throttle:
    """A number of places that adapts; safe to use from several threads.

    Args:
        most: Largest number of requests under way.

    Attributes:
        limit: The number of places now; its whole part counts.
        reached: The most requests that were under way at the same time.
    """

    def __init__(self, most: int) -> None:
        self.most, self.limit, self.reached = most, float(most), 0
        self._under_way = 0
        self._paused_until = self._cut_at = 0.0
        self._changed = threading.Condition()

    @contextmanager
    def place(self) -> Iterator[float]:
        """Wait for a place and for the end of a pause; yield the time at which it began."""
        with self._changed:
            while (wait := self._wait()) is not None:
                self._changed.wait(wait)
            self._under_way += 1
            self.reached = max(self.reached, self._under_way)
        try:
            yield time.monotonic()
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _wait(self) -> float | None:
        """Return how long there is surely no place, or None if there is one now."""
        pause = self._paused_until - time.monotonic()
        if pause > 0:
            return pause
        return None if self._under_way < int(self.limit) else LONGEST_PAUSE_SECONDS

    def succeeded(self) -> None:
        """Note a reply: one more place once as many replies came as there are places."""
        with self._changed:
            self.limit = min(self.most, self.limit + 1 / self.limit)
            self._changed.notify_all()

    def overloaded(self, began: float, pause: float = 0.0) -> None:
        """Note that the endpoint has too much to do: half the places, and a pause for all.

        Args:
            began: When the request began that was turned away. Requests that were under way
                at the last cut say nothing new and cut no further.
            pause: Seconds for which no request begins.
        """
        with self._changed:
            now = time.monotonic()
            if began >= self._cut_at:
                self.limit, self._cut_at = max(1.0, self.limit / 2), now
            self._paused_until = max(self._paused_until, now + pause)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an endpoint asks to wait, or None where it does not say.

    Reads `retry-after-ms` (Azure) and `Retry-After` as seconds or date (RFC 9110, 10.2.3).
    """
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
        value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        return _until(value)


def _until(date: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def pause_before(attempt: int) -> float:
    """Return the seconds to wait before an attempt, counted from 1."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS))
