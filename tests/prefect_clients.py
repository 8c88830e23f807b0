"""Prefect's clients in tests begin and end with the server that they talk to.

Prefect keeps one sender of events a process, bound to the server of the first event. One that is
left over takes the events meant for the next test's server: a verb run in this process leaves one
whose temporary server lives on, and one whose server is dead keeps the next test from ending.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings


@contextmanager
def talking_to(api: str) -> Iterator[None]:
    """Talk to this server for a while; what was to be sent is sent when it is over."""
    _send_all()
    with temporary_settings({PREFECT_API_URL: api}):
        try:
            yield
        finally:
            _send_all()


def _send_all() -> None:
    EventsWorker.drain_all()
    APILogWorker.drain_all()
